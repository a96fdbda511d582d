/** NumPy's .npz: a zip archive (PKWARE's APPNOTE) of .npy files, stored or deflated. */
import { unzipSync } from "fflate";
import { measurementOfArrays, type NamedArray } from "./arrays.ts";
import { mostUnpacked } from "./inflate.ts";
import type { Measurement } from "./measurement.ts";
import { decodeNpy } from "./npy.ts";
import { type Fail, FormatError, failFor, size } from "./reading.ts";

/** More arrays are no measurement. */
const MAX_FILES = 1000;

/**
 * Reads the arrays of numbers: the largest stack or image, and what else has its pixels; a vector named energies, bias, ... of as many numbers as the
 * stack has images are their energies. Texts, objects and complex numbers are left out, with a warning. Throws FormatError.
 */
export function readNpz(bytes: Uint8Array, file: string): Measurement {
	const fail: Fail = failFor(file);
	const most = mostUnpacked(bytes.length);
	let [files, announced] = [0, 0];
	let parts: Record<string, Uint8Array> = {};
	try {
		parts = unzipSync(bytes, {
			filter({ name, originalSize, size: packed, compression }) {
				if (!name.endsWith(".npy")) return false;
				announced += originalSize;
				if (++files > MAX_FILES)
					fail("an archive of very many arrays", `at most ${MAX_FILES}`);
				if (announced > most)
					fail(
						`an archive that unpacks to ${size(announced)} or more`,
						`at most ${size(most)}`,
					);
				// Deflate cannot shrink more than that: what says so lies, and memory is not taken for it.
				if (originalSize > 1040 * packed + 64 && compression === 8)
					fail(
						`${packed} bytes that say to unpack to ${originalSize}`,
						"at most 1040 times as many",
					);
				return true;
			},
		});
	} catch (error) {
		if (error instanceof FormatError) throw error;
		fail(
			`a zip archive that does not unpack (${error instanceof Error ? error.message : String(error)})`,
			"a sound .npz: cut short?",
		);
	}
	const warnings: string[] = [];
	const arrays = Object.entries(parts).flatMap(([path, part]): NamedArray[] => {
		const name = path.replace(/\.npy$/, "");
		try {
			return [{ name, ...decodeNpy(part, name) }];
		} catch (error) {
			warnings.push(`left out: ${(error as Error).message}`);
			return [];
		}
	});
	if (arrays.length === 0)
		fail(
			files === 0
				? "a zip archive without .npy files"
				: (warnings[0] ?? "no array"),
			"an .npz with an array of numbers",
		);
	return measurementOfArrays(arrays, {
		...{ format: "npz", fail },
		warnings: warnings.slice(0, 8),
	});
}

/** NeXus (NXdata of the NeXus definitions): arrays whose axes have names, numbers and units. */
import { numbered } from "./axes.ts";
import type { Channel, Measurement } from "./measurement.ts";
import {
	dropUnmeasured,
	type Fail,
	MAX_IMAGES,
	unmeasuredWarning,
} from "./reading.ts";
import { metresIn, voltsIn } from "./units.ts";

export interface NexusAxis {
	readonly name: string;
	readonly unit: string;
	readonly values?: ArrayLike<number | bigint>;
}

export interface NexusData {
	readonly name: string;
	readonly unit: string;
	/** Two or three sizes, and an axis each; the last index runs fastest. */
	readonly shape: readonly number[];
	readonly axes: readonly NexusAxis[];
	readonly data: ArrayLike<number | bigint>;
}

const UNITS: Readonly<Record<string, string>> = {
	...{ meter: "m", metre: "m", ampere: "A", volt: "V", electronvolt: "eV" },
	...{ siemens: "S", second: "s", hertz: "Hz", kelvin: "K", degree: "deg" },
};

/** Units that NeXus spells out, as symbols. */
export const plainUnit = (unit: string): string =>
	UNITS[unit.trim().toLowerCase()] ?? unit.trim();

/** Which index is x, y and (of three) the energy: by the axes' names and units; where they do not say it, e, y, x. */
function rolesOf({ shape, axes }: NexusData): {
	x: number;
	y: number;
	e: number;
} {
	const indices = shape.map((_, i) => i);
	const named = (pattern: RegExp) =>
		indices.find((i) => pattern.test(axes[i].name));
	const e =
		shape.length === 3
			? (indices.find((i) => voltsIn(axes[i].unit) !== undefined) ??
				named(/energ|bias|volt|layer|^e$/i) ??
				0)
			: -1;
	const rest = indices.filter((i) => i !== e);
	const x = rest.find((i) => /^(.*_)?x$/i.test(axes[i].name)) ?? rest[1];
	return { e, x, y: rest.find((i) => i !== x) ?? rest[0] };
}

/** The step of an even axis, signed. */
function stepOf({ values }: NexusAxis): number {
	if (!values || values.length < 2) return NaN;
	return (
		(Number(values[values.length - 1]) - Number(values[0])) /
		(values.length - 1)
	);
}

/** All data of the pixels of the largest; images of a file of stacks are repeated. Throws FormatError. */
export function measurementOfData(
	all: readonly NexusData[],
	{
		fail,
		details,
		energy,
	}: {
		fail: Fail;
		details: Measurement["details"];
		/** eV, of images. */
		energy: number | undefined;
	},
): Measurement {
	const [main] = all.toSorted((a, b) => b.data.length - a.data.length);
	const roles = rolesOf(main);
	const [nx, ny] = [main.shape[roles.x], main.shape[roles.y]];
	const count = roles.e < 0 ? 1 : main.shape[roles.e];
	if (count * all.length > 4 * MAX_IMAGES || count > MAX_IMAGES)
		fail(
			`a stack of ${count} images in a file of ${all.length} arrays`,
			`at most ${MAX_IMAGES} images`,
		);
	const warnings: string[] = [];
	const leftOut: string[] = [];
	let infinities = 0;
	const channels = all.flatMap((data): Channel[] => {
		const { x, y, e } = rolesOf(data);
		const images = e < 0 ? 1 : data.shape[e];
		if (
			data.shape[x] !== nx ||
			data.shape[y] !== ny ||
			(e >= 0 && images !== count)
		) {
			leftOut.push(`${data.name}, ${data.shape.join(" x ")}`);
			return [];
		}
		const stride = (i: number) =>
			i < 0 ? 0 : data.shape.slice(i + 1).reduce((a, b) => a * b, 1);
		const [left, down] = [x, y].map((i) => stepOf(data.axes[i]) < 0);
		const each = Array.from({ length: images }, (_, k) => {
			const image = new Float32Array(nx * ny);
			for (let i = 0; i < nx; i++)
				for (let j = 0; j < ny; j++) {
					const ix = left ? nx - 1 - i : i;
					const iy = down ? ny - 1 - j : j;
					image[ix * ny + iy] = Number(
						data.data[k * stride(e) + i * stride(x) + j * stride(y)],
					);
				}
			infinities += dropUnmeasured(image);
			return image;
		});
		return [
			{
				name: data.name,
				unit: data.unit,
				images: images === count ? each : Array(count).fill(each[0]),
			},
		];
	});
	const [x, y] = [roles.x, roles.y].map(
		(i) =>
			Math.abs(stepOf(main.axes[i])) *
			(metresIn(main.axes[i].unit) ?? NaN) *
			1e10,
	);
	const known = [x, y].every((a) => a > 1e-6 && a < 1e6);
	if (!known)
		warnings.push("the axes are no lengths of a scan: the size is unknown");
	if (leftOut.length)
		warnings.push(
			`data of other sizes are left out: ${leftOut.slice(0, 8).join("; ")}`,
		);
	return {
		...{ format: "nexus", nx, ny },
		...(known && { spacing: { x, y } }),
		channels,
		energies:
			count === 1
				? energy === undefined
					? []
					: [energy]
				: energiesOf(main.axes[roles.e], count, warnings),
		details,
		warnings: [...warnings, ...unmeasuredWarning(infinities)],
	};
}

function energiesOf(
	{ unit, values }: NexusAxis,
	count: number,
	warnings: string[],
): number[] {
	const energies = Array.from(
		values ?? [],
		(value) => Number(value) * (voltsIn(unit) ?? NaN),
	);
	if (energies.length === count && energies.every(Number.isFinite))
		return energies;
	warnings.push(numbered(count));
	return [];
}

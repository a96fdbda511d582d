/** What the indices of an array are, where a file does not say: those of .npy, .csv and .txt. */
import { type Channel, FormatError, type Measurement } from "./measurement.ts";

/** The indices in order: x from left to right, y, and e, the images of a stack. */
export const AXES = [
	"xy",
	"yx",
	"exy",
	"eyx",
	"xye",
	"yxe",
	"xey",
	"yex",
] as const;
export type Axes = (typeof AXES)[number];

/** Where y's first index lies. */
export const ORIENTATIONS = ["bottom", "top"] as const;
export type Orientation = (typeof ORIENTATIONS)[number];

export interface ArrayLayout {
	/** "xy" by default, "exy" of a stack. */
	readonly axes?: Axes;
	/** "bottom" by default. */
	readonly orientation?: Orientation;
}

/** Where a stack's images are counted in the file. */
export type StackOrder = "exy" | "xey" | "xye";

/** What says nothing of its axes. */
const isArray = ({ format }: Measurement) =>
	["npy", "csv", "npz", "mat", "hdf5"].includes(format);

/** How an array's indices are taken, for people; undefined of files that say it themselves. */
export function layoutNote(measurement: Measurement): string | undefined {
	if (!isArray(measurement)) return undefined;
	const stack = measurement.channels[0].images.length > 1;
	const hint = stackHint(measurement);
	const order = stack ? (measurement.stacked ?? "exy") : "xy";
	const [first, ...rest] = [...order].map((axis) => SAID[axis]);
	return `first index: ${[first, ...rest].join(", then ")} (--axes ${order} --orientation bottom)${hint ? `; ${hint}` : ""}`;
}

const SAID: Readonly<Record<string, string>> = {
	e: "the image",
	x: "x from left to right",
	y: "y from bottom to top",
};

/** Whether the images of a stack have numbers where others have energies. */
export const isNumbered = (measurement: Measurement): boolean =>
	measurement.warnings.some((text) => text.startsWith(NUMBERED));

/** A stack whose first two indices run as far, and the third does not, most likely has its images along the third. */
function stackHint(measurement: Measurement): string | undefined {
	const { channels, nx, ny, stacked = "exy" } = measurement;
	const count = channels[0].images.length;
	if (stacked !== "exy" || !isNumbered(measurement)) return undefined;
	return count > 1 && count === nx && nx !== ny
		? `its shape ${count} x ${nx} x ${ny} looks like ${ny} images of ${count} x ${nx}: --axes xye or yxe, if so`
		: undefined;
}

/**
 * The measurement with its images as the rest of the program has them, image[ix * ny + iy] and y upward.
 * @throws FormatError where the file says itself how its images lie, or has not as many indices
 */
export function arrange(
	measurement: Measurement,
	{ axes, orientation }: ArrayLayout,
	file: string,
): Measurement {
	const { format, channels, nx, ny } = measurement;
	if (!isArray(measurement)) {
		const given = axes ? "axes" : orientation ? "orientation" : undefined;
		if (given)
			throw new FormatError(
				`${file}: found a ${format} file, which says how its images lie, expected no --${given}`,
			);
		return measurement;
	}
	const [{ images }] = channels;
	const stack = images.length > 1;
	const found = measurement.stacked ?? "exy";
	const wanted = axes ?? (stack ? found : "xy");
	if (stack !== wanted.includes("e"))
		throw new FormatError(
			`${file}: found ${stack ? `three indices, ${images.length} x ${nx} x ${ny}` : `one image of ${nx} x ${ny}`}, expected --axes ${stack ? "with x, y and e" : "xy or yx"}`,
		);
	const hint = axes ? undefined : stackHint(measurement);
	const warnings = hint
		? [...measurement.warnings, hint]
		: measurement.warnings;
	if (wanted === (stack ? found : "xy") && orientation !== "top")
		return { ...measurement, warnings };
	// Of the indices as the file has them: how long they are, and how far apart in the images that were read.
	const given = stack ? [...found] : ["x", "y"];
	const lengths = { e: images.length, x: nx, y: ny };
	const steps = { e: nx * ny, x: ny, y: 1 };
	const shape = given.map((axis) => lengths[axis as "e" | "x" | "y"]);
	const strides = given.map((axis) => steps[axis as "e" | "x" | "y"]);
	const size = (axis: string) => shape[wanted.indexOf(axis)] ?? 1;
	const stride = (axis: string) => strides[wanted.indexOf(axis)] ?? 0;
	const [mx, my, me] = [size("x"), size("y"), size("e")];
	const arranged = (images: Channel["images"]) =>
		Array.from({ length: me }, (_, e) =>
			Float32Array.from({ length: mx * my }, (_, p) => {
				const iy = p % my;
				const at =
					e * stride("e") +
					Math.floor(p / my) * stride("x") +
					(orientation === "top" ? my - 1 - iy : iy) * stride("y");
				return images[Math.floor(at / (nx * ny))][at % (nx * ny)];
			}),
		);
	// Energies that the file says belong to one index.
	const same = wanted.indexOf("e") === found.indexOf("e");
	if (stack && !same && !isNumbered(measurement))
		throw new FormatError(
			`${file}: found ${images.length} energies along index ${found.indexOf("e") + 1}, expected --axes ${found} or ${found.replace("xy", "yx").replace("xey", "yex")}`,
		);
	return {
		...measurement,
		nx: mx,
		ny: my,
		channels: channels.map((channel) => ({
			...channel,
			images: arranged(channel.images),
		})),
		energies: isNumbered(measurement)
			? Array.from({ length: me }, (_, i) => i)
			: measurement.energies,
		warnings: warnings.map((text) =>
			text.startsWith(NUMBERED) ? numbered(me) : text,
		),
	};
}

const NUMBERED = "the file says no energies";

/** What is warned of a stack without energies. */
export const numbered = (count: number): string =>
	`${NUMBERED}: its images are numbered 0 to ${count - 1}`;

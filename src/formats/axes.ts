/** What the indices of an array are, where a file does not say. */
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

/** What an array's indices can be, the usual first; none of a file that says it itself. */
export function axesOf(measurement: Measurement): Axes[] {
	if (!isArray(measurement)) return [];
	const usual = usualAxes(measurement);
	const stack = isStack(measurement);
	return [
		usual,
		...AXES.filter((axes) => axes !== usual && axes.includes("e") === stack),
	];
}

/** What says nothing of its axes. */
const isArray = ({ format, layout }: Measurement) =>
	layout === undefined && ["npy", "csv", "npz", "mat", "hdf5"].includes(format);

/**
 * How an array's indices are taken, for people: as asked for, or as it is usual; of a text that says it itself, what that is; undefined of
 * instruments' files.
 */
export function layoutNote(
	measurement: Measurement,
	{ axes, orientation = "bottom" }: ArrayLayout = {},
): string | undefined {
	if (!isArray(measurement)) return measurement.layout;
	const taken = axes ?? usualAxes(measurement);
	const words: Record<string, string> = {
		e: "the image",
		x: "x from left to right",
		y: `y from ${orientation === "top" ? "top to bottom" : "bottom to top"}`,
	};
	const order = [...taken].map((axis) => words[axis]);
	return `first index: ${order.join(", then ")} (--axes ${taken} --orientation ${orientation})`;
}

const isStack = ({ channels }: Measurement) => channels[0].images.length > 1;

/** A stack whose first two indices run as far, and the third does not, has its images along the third, where the file does not say it. */
function usualAxes({ channels, nx, ny, stacked }: Measurement): Axes {
	const count = channels[0].images.length;
	if (count === 1) return "xy";
	return stacked ?? (count === nx && nx !== ny ? "xye" : "exy");
}

/** What else a stack of images that are not square may be. */
function stackHint(measurement: Measurement): string | undefined {
	const { channels, nx, ny, stacked } = measurement;
	const count = channels[0].images.length;
	if (count === 1 || nx === ny || stacked) return undefined;
	const last = usualAxes(measurement) === "xye";
	const kinds = [
		[`${count} images of ${nx} x ${ny}`, "exy or eyx"],
		[`${ny} images of ${count} x ${nx}`, "xye or yxe"],
	];
	const [taken, other] = last ? kinds.reverse() : kinds;
	return `the array of shape ${count} x ${nx} x ${ny} is taken for ${taken[0]}; --axes ${other[1]}, if it is ${other[0]}`;
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
	const stack = isStack(measurement);
	const wanted = axes ?? usualAxes(measurement);
	if (stack !== wanted.includes("e"))
		throw new FormatError(
			`${file}: found ${stack ? `three indices, ${images.length} x ${nx} x ${ny}` : `one image of ${nx} x ${ny}`}, expected --axes ${stack ? "with x, y and e" : "xy or yx"}`,
		);
	const hint = axes ? undefined : stackHint(measurement);
	const warnings = hint
		? [...measurement.warnings, hint]
		: measurement.warnings;
	// The order of the file, in which the images were read.
	const found = stack ? (measurement.stacked ?? "exy") : "xy";
	if (wanted === found && orientation !== "top")
		return { ...measurement, warnings };
	// Of the indices as the file has them: how long they are, and how far apart in the images that were read.
	const given = [...found];
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
	if (stack && !same && measurement.energies.length > 0)
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
		warnings: warnings.map((text) =>
			text.startsWith(NUMBERED) ? numbered(me) : text,
		),
	};
}

const NUMBERED = "the file says no energies";

/** What is warned of a stack without energies. */
export const numbered = (count: number): string =>
	`${NUMBERED}: its images are numbered 1 to ${count}`;

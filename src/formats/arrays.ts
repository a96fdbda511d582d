/** What files of named arrays (.npz, .mat, HDF5) hold of images: which array is the map, which its energies, which axis those run along. */
import { numbered } from "./axes.ts";
import type { Channel, Measurement, StackOrder } from "./measurement.ts";
import {
	dropUnmeasured,
	type Fail,
	MAX_BYTES,
	MAX_IMAGES,
	size,
	unmeasuredWarning,
} from "./reading.ts";

export interface NamedArray {
	readonly name: string;
	readonly unit?: string;
	readonly shape: readonly number[];
	/** Whether the first index runs fastest, as in MATLAB. */
	readonly fortran?: boolean;
	readonly data: ArrayLike<number | bigint>;
}

const ENERGY =
	/^(e|en|energy|energies|bias(es)?|v|volts?|voltages?|sweep|ev|mev|mv|layers?)\b|(energ|bias|voltage|sweep)/i;

interface Axis {
	readonly length: number;
	readonly stride: number;
}

/** Axes longer than 1, with their strides: MATLAB has no vector that is not a matrix. */
function axesOf({ shape, fortran }: NamedArray): Axis[] {
	const order = fortran ? shape : [...shape].reverse();
	let stride = 1;
	const axes = order.map((length) => {
		const axis = { length, stride };
		stride *= length;
		return axis;
	});
	return (fortran ? axes : axes.reverse()).filter(({ length }) => length > 1);
}

/**
 * The measurement that the arrays make: the largest stack, or the largest image, with every other array of the same pixels as a channel of it. The first
 * index is x and y counts from the bottom, as of .npy; the energies are a vector named for them, and run along the axis that is as long as
 * it, else along `stacked`.
 * @param stacked where the images of a stack are counted when no vector of energies says it
 * @throws FormatError when there is no image among them
 */
export function measurementOfArrays(
	arrays: readonly NamedArray[],
	{
		format,
		fail,
		stacked = "exy",
		details = [],
		warnings = [],
	}: {
		format: Measurement["format"];
		fail: Fail;
		stacked?: StackOrder;
		details?: Measurement["details"];
		warnings?: readonly string[];
	},
): Measurement {
	const all = arrays.map((array) => ({ array, axes: axesOf(array) }));
	const maps = all.filter(({ axes }) => axes.length === 2 || axes.length === 3);
	const [main] = maps.toSorted(
		(a, b) =>
			b.axes.length - a.axes.length ||
			b.array.data.length - a.array.data.length,
	);
	if (!main)
		fail(
			arrays.length === 0
				? "no array of numbers"
				: `only arrays of other shapes (${arrays
						.slice(0, 8)
						.map(
							({ name, shape }) =>
								`${name}: ${shape.join(" x ") || "a number"}`,
						)
						.join(", ")})`,
			"an image (nx, ny) or a stack of them",
		);
	const stack = main.axes.length === 3;
	const vectors = all.filter(
		({ array, axes }) => axes.length === 1 && ENERGY.test(lastName(array.name)),
	);
	const fits = ({ axes: [{ length }] }: (typeof all)[number]) =>
		main.axes.filter((axis) => axis.length === length).length;
	const vector = stack
		? (vectors.find((v) => fits(v) === 1) ?? vectors.find((v) => fits(v) > 0))
		: undefined;
	const order = stack
		? orderOf(main.axes, vector?.axes[0].length, stacked)
		: undefined;
	const [e, x, y] = inOrder(main.axes, order);
	const [nx, ny, count] = [x.length, y.length, e?.length ?? 1];
	if (count * maps.length > 4 * MAX_IMAGES || count > MAX_IMAGES)
		fail(
			`a stack of ${count} images in a file of ${maps.length} arrays`,
			`at most ${MAX_IMAGES} images`,
		);

	let infinities = 0;
	const leftOut: string[] = [];
	const imageOf = (data: NamedArray["data"], from: number, [x, y]: Axis[]) => {
		const image = new Float32Array(nx * ny);
		for (let ix = 0, p = 0; ix < nx; ix++)
			for (let iy = 0; iy < ny; iy++, p++)
				image[p] = Number(data[from + ix * x.stride + iy * y.stride]);
		infinities += dropUnmeasured(image);
		return image;
	};
	let taken = 0;
	const channels = [main, ...maps.filter((map) => map !== main)].flatMap(
		({ array, axes }): Channel[] => {
			const [e, x, y] = inOrder(axes, axes.length === 3 ? order : undefined);
			const images = e?.length ?? 1;
			if (
				x.length !== nx ||
				y.length !== ny ||
				(e !== undefined && images !== count)
			) {
				leftOut.push(`${array.name}, ${array.shape.join(" x ")}`);
				return [];
			}
			taken += 4 * images * nx * ny;
			if (taken > MAX_BYTES)
				fail(`${size(taken)} of images`, `at most ${size(MAX_BYTES)}`);
			const each = Array.from({ length: images }, (_, i) =>
				imageOf(array.data, i * (e?.stride ?? 0), [x, y]),
			);
			return [
				{
					name: array.name,
					unit: array.unit ?? "",
					images: images === count ? each : Array(count).fill(each[0]),
				},
			];
		},
	);
	const energies = energiesOf(vector?.array, count);
	return {
		format,
		nx,
		ny,
		channels,
		...(order && { stacked: order }),
		energies: energies ?? [],
		details: [
			["arrays", listOf(arrays)],
			...(vector && energies
				? [["energies from", vector.array.name] as const]
				: []),
			...details,
		],
		warnings: [
			...(count > 1 && !energies ? [numbered(count)] : []),
			...(leftOut.length
				? [
						`arrays of other sizes are left out: ${leftOut.slice(0, 8).join("; ")}`,
					]
				: []),
			...unmeasuredWarning(infinities),
			...warnings,
		],
	};
}

const lastName = (name: string) => name.replace(/^.*[./]/, "");

const listOf = (arrays: readonly NamedArray[]) =>
	`${arrays
		.slice(0, 20)
		.map(({ name, shape }) => `${name} ${shape.join(" x ") || "1"}`)
		.join(", ")}${arrays.length > 20 ? ", ..." : ""}`;

/** Where the energies are: along the axis of this length, preferably the one asked for. */
function orderOf(
	axes: readonly Axis[],
	length: number | undefined,
	preferred: StackOrder,
): StackOrder {
	const orders = ["exy", "xey", "xye"] as const;
	if (length === undefined) return preferred;
	const fits = orders.filter((_, i) => axes[i].length === length);
	return fits.includes(preferred) ? preferred : (fits[0] ?? preferred);
}

/** The axes e, x, y; e is missing of an image. */
function inOrder(
	axes: readonly Axis[],
	order: StackOrder | undefined,
): [Axis | undefined, Axis, Axis] {
	if (!order) return [undefined, axes[0], axes[1]];
	const place = order.indexOf("e");
	const [x, y] = axes.filter((_, i) => i !== place);
	return [axes[place], x, y];
}

/** eV: a vector's numbers, which are meV where its name or unit says so, or where no STM has that many volts. */
function energiesOf(
	vector: NamedArray | undefined,
	count: number,
): number[] | undefined {
	if (!vector || vector.data.length !== count) return undefined;
	const values = Array.from(vector.data, Number);
	if (!values.every(Number.isFinite)) return undefined;
	const milli =
		/m(e?V)\b/i.test(`${vector.unit ?? ""} ${vector.name}`) ||
		values.some((v) => Math.abs(v) > 20);
	return milli ? values.map((v) => v / 1000) : values;
}

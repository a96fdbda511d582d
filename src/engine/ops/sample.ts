import { isList, named } from "../basics/named.ts";
import { checkNames } from "../basics/options.ts";
import { type Shape, show } from "../basics/shape.ts";
import { LINE, lines } from "../device/dispatch.ts";
import type { BufferView } from "../device/pool.ts";
import { record } from "../tensors/autograd.ts";
import {
	checkFits,
	checkTensors,
	empty,
	type Tensor,
} from "../tensors/tensor.ts";

/** Ops that move, repeat or resample pixels; images are B H W C. */

function checkImage(op: string, x: Tensor): void {
	checkTensors(op, { x });
	if (x.shape.length !== 4)
		throw new Error(`${op}: x ${show(x.shape)}; expected [B, H, W, C]`);
}

/** Workgroups of 64 threads over the elements of a row, for each row of each image, in as many dispatches as the device's limit asks for. */
function* perRow(
	{ shape: [b, h, w, c], gpu }: Tensor,
	by: number,
): Generator<{ first: Triple; workgroups: Triple }> {
	const most = gpu.limits.workgroups;
	const across = Math.ceil((w * c) / by / LINE);
	const upTo = (all: number, from: number) => Math.min(most, all - from);
	for (let k = 0; k < b; k += most)
		for (let j = 0; j < h; j += most)
			for (let i = 0; i < across; i += most)
				yield {
					first: [LINE * i, j, k],
					workgroups: [upTo(across, i), upTo(h, j), upTo(b, k)],
				};
}

type Triple = [number, number, number];

/** Runs an entry of sample.wgsl, four channels at a time where that divides everything. */
function move(
	entry: string,
	x: Tensor,
	y: Tensor,
	offset: Shape = [0, 0, 0, 0],
): void {
	const by = [x.shape[3], y.shape[3], offset[3]].every((n) => n % 4 === 0)
		? 4
		: 1;
	const inElements = (shape: Shape) => [
		shape[0],
		shape[1],
		shape[2],
		shape[3] / by,
	];
	const bindings: Record<string, BufferView> =
		by === 4 ? { x4: x, y4: y } : { x, y };
	const shapes = {
		input: inElements(x.shape),
		output: inElements(y.shape),
		offset: inElements(offset),
	};
	for (const { first, workgroups } of perRow(entry === "paste" ? x : y, by))
		y.gpu.run({
			shader: "sample",
			entry: by === 4 ? `${entry}4` : entry,
			bindings,
			params: { ...shapes, first },
			workgroups,
		});
}

/** y = the part of x [B, H, W, C] that begins at `offset` and has the given shape. */
function window(op: string, x: Tensor, shape: Shape, offset: Shape): Tensor {
	const y = empty(x.gpu, shape);
	move("window", x, y, offset);
	return record(
		op,
		y,
		[x],
		(dy, grads) =>
			move(
				"window",
				dy,
				grads.out(0),
				offset.map((n) => -n),
			),
		[],
	);
}

/** x [B, H, W, C] -> y [B, 2H, 2W, C]: every pixel four times. */
export function upsampleNearest2x(x: Tensor): Tensor {
	checkImage("upsampleNearest2x", x);
	const [b, h, w, c] = x.shape;
	const shape = [b, 2 * h, 2 * w, c];
	checkFits("upsampleNearest2x", shape, x);
	const y = empty(x.gpu, shape);
	move("double", x, y);
	return record(
		"upsampleNearest2x",
		y,
		[x],
		(dy, grads) => move("fold", dy, grads.out(0)),
		[],
	);
}

/** Tensors [B, H, W, Ci] -> y [B, H, W, sum of Ci]. Throws unless all have the same B, H and W. */
export function concat(tensors: readonly Tensor[]): Tensor {
	if (!isList(tensors))
		throw new TypeError(
			`concat: found ${named(tensors)}, expected a list of tensors`,
		);
	checkTensors("concat", { ...tensors });
	const shapes = tensors.map((t) => show(t.shape)).join(", ");
	const [first] = tensors;
	if (
		!first ||
		tensors.some(
			(t) =>
				t.shape.length !== 4 ||
				t.shape.slice(0, 3).some((n, i) => n !== first.shape[i]),
		)
	)
		throw new Error(
			`concat: ${shapes || "nothing"}; expected tensors [B, H, W, Ci] of the same B, H and W`,
		);
	let channels = 0;
	const starts = tensors.map((t) => {
		const start = channels;
		channels += t.shape[3];
		return start;
	});
	const y = empty(first.gpu, [...first.shape.slice(0, 3), channels]);
	tensors.forEach((t, i) => {
		move("paste", t, y, [0, 0, 0, -starts[i]]);
	});
	return record(
		"concat",
		y,
		tensors,
		(dy, grads) => {
			for (const [i, start] of starts.entries())
				if (grads.wants(i)) move("window", dy, grads.out(i), [0, 0, 0, start]);
		},
		[],
	);
}

/** x [B, H, W, C] -> its channels from `start` up to, not including, `end`. Throws where they are not x's. */
export function sliceChannels(x: Tensor, start: number, end: number): Tensor {
	checkImage("sliceChannels", x);
	const [b, h, w, c] = x.shape;
	if (
		!(
			Number.isInteger(start) &&
			Number.isInteger(end) &&
			start >= 0 &&
			start < end &&
			end <= c
		)
	)
		throw new Error(
			`sliceChannels: x ${show(x.shape)}, channels ${start} to ${end}; expected 0 <= start < end <= ${c}`,
		);
	return window("sliceChannels", x, [b, h, w, end - start], [0, 0, 0, start]);
}

/** In pixels. */
export interface CropWindow {
	readonly top: number;
	readonly left: number;
	readonly height: number;
	readonly width: number;
}

/** x [B, H, W, C] -> y [B, height, width, C], the part whose first pixel is (top, left). Throws where it leaves x. */
export function crop(x: Tensor, part: CropWindow): Tensor {
	checkImage("crop", x);
	checkNames("crop", part, ["top", "left", "height", "width"]);
	const { top, left, height, width } = part;
	const [b, h, w, c] = x.shape;
	const whole = [top, left, height, width].every(Number.isInteger);
	if (
		!(
			whole &&
			top >= 0 &&
			left >= 0 &&
			height > 0 &&
			width > 0 &&
			top + height <= h &&
			left + width <= w
		)
	)
		throw new Error(
			`crop: x ${show(x.shape)} to ${height} x ${width} at (${top}, ${left}); expected a window inside the image`,
		);
	return window("crop", x, [b, height, width, c], [0, top, left, 0]);
}

/**
 * Rotates x [B, H, W, C] about the image's centre by an angle (radians; counter-clockwise on a screen with row 0 on top), one for all samples or one
 * each. Bilinear; outside of the image its edge is repeated. Equals torch's grid_sample(align_corners=False, padding_mode="border") on the grid of the
 * rotation matrix [[cos, -sin], [sin, cos]] for square images; others are rotated in pixels, so nothing is sheared. Throws on an angle that is not finite.
 */
export function rotate(x: Tensor, angles: number | readonly number[]): Tensor {
	checkImage("rotate", x);
	const { gpu } = x;
	const [batch] = x.shape;
	const list = typeof angles === "number" ? Array(batch).fill(angles) : angles;
	if (list.length !== batch || !list.every(Number.isFinite))
		throw new Error(
			`rotate: x ${show(x.shape)} by [${list.join(", ")}]; expected one finite angle, or ${batch}`,
		);
	const turns = empty(gpu, [batch, 2]);
	turns.write(
		Float32Array.from(
			list.flatMap((angle) => [Math.cos(angle), Math.sin(angle)]),
		),
	);
	const same = {
		shader: "rotate",
		params: { shape: x.shape },
		workgroups: lines(gpu, x.size),
	};
	const y = empty(gpu, x.shape);
	gpu.run({ ...same, entry: "forward", bindings: { x, turns, y } });
	return record(
		"rotate",
		y,
		[x],
		(dy, grads) =>
			gpu.run({
				...same,
				entry: "backward",
				bindings: { turns, dy, dx: grads.out(0) },
			}),
		[turns],
	);
}

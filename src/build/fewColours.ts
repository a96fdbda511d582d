/** A picture of few colours: less than half of the bytes of one of all. */
import { maxOf, minOf } from "../qpi/maths/extremes.ts";

type Colour = [red: number, green: number, blue: number];
interface Box {
	/** Packed colours, and how many pixels have each. */
	readonly colours: readonly (readonly [packed: number, count: number])[];
	readonly channel: number;
	/** How much there is to gain by splitting it. */
	readonly gain: number;
}

const part = (packed: number, channel: number) =>
	(packed >> (16 - 8 * channel)) & 255;

function boxOf(colours: Box["colours"]): Box {
	const total = colours.reduce((sum, [, count]) => sum + count, 0);
	const spreads = [0, 1, 2].map((channel) => {
		const values = colours.map(([packed]) => part(packed, channel));
		return maxOf(values) - minOf(values);
	});
	const channel = spreads.indexOf(maxOf(spreads));
	// Large areas must not take all: a curve is few pixels.
	return { colours, channel, gain: spreads[channel] * Math.sqrt(total) };
}

/**
 * By median cut (Heckbert, SIGGRAPH 1982).
 * @param data three numbers from 0 to 255 a pixel
 * @returns at most `most` colours, and the index of each pixel's
 */
export function fewColours(
	data: ArrayLike<number>,
	most = 256,
): { palette: Colour[]; indices: Uint8Array } {
	const pixels = Uint32Array.from(
		{ length: data.length / 3 },
		(_, i) => (data[3 * i] << 16) | (data[3 * i + 1] << 8) | data[3 * i + 2],
	);
	const counts = new Map<number, number>();
	for (const packed of pixels)
		counts.set(packed, (counts.get(packed) ?? 0) + 1);
	const boxes = [boxOf([...counts])];
	while (boxes.length < most) {
		boxes.sort((a, b) => a.gain - b.gain);
		const { colours, channel, gain } = boxes.pop() as Box;
		if (gain === 0) {
			boxes.push(boxOf(colours));
			break;
		}
		const sorted = [...colours].sort(
			([a], [b]) => part(a, channel) - part(b, channel),
		);
		const half = sorted.reduce((sum, [, count]) => sum + count, 0) / 2;
		let before = 0;
		const cut = sorted.findIndex(([, count]) => {
			before += count;
			return before > half;
		});
		// Either side has one at least.
		const at = Math.min(Math.max(cut, 1), sorted.length - 1);
		boxes.push(boxOf(sorted.slice(0, at)), boxOf(sorted.slice(at)));
	}
	const indexOf = new Map<number, number>();
	const palette = boxes.map(({ colours }, index): Colour => {
		const total = colours.reduce((sum, [, count]) => sum + count, 0);
		for (const [packed] of colours) indexOf.set(packed, index);
		return [0, 1, 2].map((channel) =>
			Math.round(
				colours.reduce(
					(sum, [packed, count]) => sum + count * part(packed, channel),
					0,
				) / total,
			),
		) as Colour;
	});
	return {
		palette,
		indices: Uint8Array.from(pixels, (packed) => indexOf.get(packed) ?? 0),
	};
}

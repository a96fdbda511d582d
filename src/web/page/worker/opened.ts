/** What a file holds, for the page, with its arrays' indices taken as asked for. */
import {
	chooseChannel,
	chooseImages,
} from "../../../extraction/results/choose.ts";
import { aboutMedian } from "../../../extraction/results/drawPictures.ts";
import type { Input } from "../../../extraction/results/input.ts";
import {
	type ArrayLayout,
	arrange,
	axesOf,
	layoutNote,
} from "../../../formats/axes.ts";
import { energiesOf, type Measurement } from "../../../formats/measurement.ts";
import { fieldOf, RESOLUTION } from "../../../qpi/dataset/format.ts";
import type { Opened, Pixels } from "./extractTypes.ts";
import { seatOf } from "./openSource.ts";
import { small } from "./outcome.ts";

/** @throws FormatError where the file cannot be taken so */
export function openedOf(input: Input, layout: ArrayLayout): Opened {
	const { measurement, dataset, file, own, series } = input;
	const field = dataset ? fieldOf(dataset) : 0;
	if (!measurement)
		return {
			format: "dataset",
			nx: RESOLUTION,
			ny: RESOLUTION,
			size: { x: field, y: field },
			channels: [{ name: "image", unit: "", images: 1, energies: [] }],
			chosen: "image",
			dataset: true,
			axes: [],
			seat: seatOf(input),
			details: [],
		};
	const arranged = arrange(measurement, layout, file);
	const { format, nx, ny, spacing, channels, details } = arranged;
	return {
		format,
		nx,
		ny,
		size: spacing && { x: nx * spacing.x, y: ny * spacing.y },
		channels: channels.map((channel) => ({
			name: channel.name,
			unit: channel.unit,
			images: channel.images.length,
			energies: energiesOf(arranged, channel),
		})),
		chosen: chooseChannel({ measurement: arranged, file }, undefined).name,
		dataset: false,
		layout: layoutNote(measurement, layout),
		axes: axesOf(measurement),
		own,
		series,
		seat: series ? undefined : seatOf(input),
		details,
	};
}

/** An image as it is in the file, in pixels where its size is not known. @param index from 0 */
export function pixelsOf(
	measurement: Measurement,
	file: string,
	{
		channel: name,
		index,
		...layout
	}: ArrayLayout & { readonly channel: string; readonly index: number },
): Pixels {
	const arranged = arrange(measurement, layout, file);
	const channel = chooseChannel({ measurement: arranged, file }, name);
	const [{ image, label }] = chooseImages(
		{ measurement: arranged, file },
		channel,
		{ image: index + 1 },
	);
	const { nx, ny, spacing = { x: 1, y: 1 } } = arranged;
	const field = small(
		{ image, nx, ny, spacing },
		image.map((v) => (Number.isNaN(v) ? 0 : 1)),
	);
	const { unit } = channel;
	return { field, range: aboutMedian(field.values), label, unit };
}

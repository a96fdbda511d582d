import { createCanvas, loadImage } from "@napi-rs/canvas";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { diverging, sequential } from "../src/drawing/colour.ts";
import { multiples, niceStep, panelGrid } from "../src/drawing/panels.ts";
import type { Picture } from "../src/drawing/picture.ts";
import {
	dispersionChart,
	profileChart,
} from "../src/extraction/results/charts.ts";
import {
	fitPicture,
	kernelPicture,
	scanField,
	spectrumPicture,
	squareField,
} from "../src/extraction/results/drawPictures.ts";
import { extractionHtml } from "../src/extraction/results/html.ts";
import { renderPng } from "../src/node/drawing/canvas.ts";

/** Draws at one pixel for one and returns a way to look at it. */
async function look(picture: Picture) {
	const bytes = renderPng(picture, 1);
	const drawn = await loadImage(Buffer.from(bytes));
	const ctx = createCanvas(drawn.width, drawn.height).getContext("2d");
	ctx.drawImage(drawn, 0, 0);
	return (x: number, y: number, width = 1, height = 1) => [
		...ctx.getImageData(x, y, width, height).data,
	];
}

const RED = [103, 0, 31, 255];
const BLUE = [5, 48, 97, 255];
const GREY = [170, 170, 170, 255];
/** Where the first panel's field begins. */
const [LEFT, TOP] = [58, 34];

test("a panel: x to the right, y up, true to scale, with missing pixels, marks and a colour bar", async () => {
	// 4 x 2 pixels of 10 A: red at the right, blue at the left above, missing at the left below.
	const values = Float32Array.of(NaN, -1, NaN, -1, 1, 1, 1, 1);
	const field = scanField({
		image: values,
		nx: 4,
		ny: 2,
		spacing: { x: 10, y: 10 },
	});
	const picture = panelGrid(
		[
			{
				title: "Field",
				field,
				colours: diverging,
				range: [-1, 1],
				unit: "A",
				axes: "Å",
				smooth: true,
				marks: [{ x: 10, y: 5, keep: true, label: "1" }],
			},
		],
		{ size: 200 },
	);
	const pixel = await look(picture);
	assert.equal(pixel(LEFT + 190, TOP + 10), RED);
	assert.equal(pixel(LEFT + 10, TOP + 10), BLUE);
	assert.equal(pixel(LEFT + 10, TOP + 90), GREY);
	assert.equal(
		pixel(LEFT + 10, TOP + 104),
		[255, 255, 255, 255],
		"below the field",
	);
	const [mark, ground] = [(10 + 20) * 5, 100 - (5 + 10) * 5];
	const ring = pixel(LEFT + mark + 3, TOP + ground, 5, 1);
	assert.ok(
		ring.some((v, i) => i % 4 === 0 && v < 100 && v === ring[i + 1]),
		"the mark's ring is ink, neither red nor blue",
	);
	assert.equal(pixel(LEFT + mark, TOP + ground), RED, "is open");
	const [upper, lower] = [3, 96].map((y) => pixel(LEFT + 200 + 18, TOP + y));
	assert.ok(
		upper[0] > 90 && upper[2] < 50,
		"the colour bar's upper end is red",
	);
	assert.ok(lower[0] < 30 && lower[2] > 90, "and its lower blue");
	assert.throws(() =>
		renderPng(panelGrid([{ ...panel(field), field: { ...field, nx: 3 } }])),
	);
});

const panel = (field: ReturnType<typeof scanField>) =>
	({
		title: "",
		field,
		colours: sequential,
		range: [0, 1],
		unit: "",
		axes: "Å",
	}) as const;

test("ticks are round and inside", () => {
	assert.equal([0.9, 1.1, 2.5, 6, 31].map(niceStep), [1, 2, 5, 10, 50]);
	assert.equal(multiples([-203, 203], 100), [-200, -100, 0, 100, 200]);
	assert.equal(multiples([0.1, 0.3], 0.1).length, 3);
	assert.equal(multiples([0.01, 0.09], 0.1), []);
});

test("a square field reaches half a pixel beyond its outer pixels", () => {
	const field = squareField(new Float32Array(4096), 2, { x: 10, y: -10 });
	assert.equal(field.x, [-54, 74]);
	assert.equal(field.y, [-74, 54]);
});

test("kernel, fit and spectrum", async () => {
	const peak = new Float32Array(4096);
	for (let i = 0; i < 4096; i++)
		peak[i] = Math.hypot((i >> 6) - 31.5, (i & 63) - 31.5) < 8 ? 1e-12 : -1e-12;
	const kernel = await look(kernelPicture(peak, 5, "Kernel", "A"));
	assert.equal(kernel(LEFT + 230, TOP + 230), RED);
	// Data and residual on one scale: half the signal is left and is drawn half as strong.
	const data = peak.map((v) => v + 5e-11);
	const half = peak.map((v) => v / 2);
	const place = { nx: 64, ny: 64, spacing: 5, centre: { x: 0, y: 0 } };
	const fit = await look(fitPicture(data, half, half, place, [], "A"));
	const pitch = 300 + 58 + 96;
	const [strong, weak] = [0, 2].map((k) =>
		fit(LEFT + k * pitch + 150, TOP + 150),
	);
	assert.ok(strong[1] + 40 < weak[1], "the residual is paler");
	const magnitude = new Float32Array(64 * 64).fill(1e-6);
	magnitude[(32 + 8) * 64 + 32] = 1;
	// Nyquist within the grid: only the part up to it is shown. The peak at (8, 0) of +-16 lies at three quarters of the width.
	const spectrum = await look(
		spectrumPicture({ magnitude, size: 64, step: 0.01 }, 0.16, [], []),
	);
	const [r, g, b] = spectrum(
		LEFT + Math.round((24.5 / 32) * 460),
		TOP + 460 - Math.round((16.5 / 32) * 460),
	);
	assert.ok(
		r > 200 && g > 200 && b < 100,
		`${[r, g, b]} is the scale's upper end`,
	);
});

test("charts draw what they are given, and nothing is no error", async () => {
	const q = [0, 0.1, 0.2, 0.3];
	const value = [0, 1, 2, 0];
	const error = [0.1, 0.1, 0.1, 0.1];
	const count = (rgba: number[], [r, g, b]: number[]) =>
		rgba.filter(
			(v, i) =>
				i % 4 === 0 && v === r && rgba[i + 1] === g && rgba[i + 2] === b,
		).length;
	const vermilion = [0xd5, 0x5e, 0];
	const profile = await look(
		profileChart(
			[{ name: "all", q, value, error }],
			[{ q: 0.2, error: 0.01, name: "q*" }],
		),
	);
	assert.ok(count(profile(0, 0, 640, 300), vermilion) > 100, "the line at q*");
	const points = [
		{ energy: -0.05, q: 0.1, error: 0.01 },
		{ energy: 0, q: 0.2, error: 0.01, outlier: true },
	];
	const fit = { name: "fit", energyAt: (k: number) => k * k - 0.06 };
	const dispersion = await look(dispersionChart("Dispersion", points, fit));
	assert.ok(count(dispersion(0, 0, 640, 340), vermilion) > 100, "the fit");
	await look(profileChart([], []));
	await look(dispersionChart("Dispersion", [], null));
});

test("report: everything escaped, nothing from the network, the chosen method bold", () => {
	const html = extractionHtml({
		title: "Kernel of <a>.sxm",
		findings: ["q < 1 & more"],
		done: ["read"],
		warnings: ["<script>alert(1)</script>"],
		methods: [
			{ name: "ridge", heldOut: 0.5, inSample: 0.99, chosen: false },
			{ name: "refined", heldOut: null, inSample: -0.25, chosen: true },
		],
		tables: [{ caption: "a<b", heads: ["x"], rows: [["<1>"]] }],
		figures: [
			{
				title: "A",
				caption: "<c>",
				png: renderPng(kernelPicture(new Float32Array(4096), 1, "", ""), 1),
			},
		],
		parameters: [["file", "a&b"]],
		command: "npx qpi-lens extract '<x>'",
	});
	assert.not.match(html, /https?:|<script|<link|@import|<a>|<c>|<1>|<x>/i);
	assert.match(html, "default-src 'none'");
	assert.match(html, '<th scope="row">ridge</th><td>0.500</td><td>0.990</td>');
	assert.match(
		html,
		"<strong>refined</strong></th><td><strong>–</strong></td><td><strong>−0.250</strong>",
	);
	assert.match(html, "q &lt; 1 &amp; more");
	assert.match(html, "Warnings");
});

test.run();

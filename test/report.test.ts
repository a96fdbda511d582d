import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createCanvas, type Image, loadImage } from "@napi-rs/canvas";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { clipLimit, diverging } from "../src/drawing/colour.ts";
import { escapeHtml } from "../src/drawing/html.ts";
import { drawImage, type Picture, short } from "../src/drawing/picture.ts";
import { renderPng } from "../src/node/drawing/canvas.ts";
import { encodePng } from "../src/node/drawing/png.ts";
import type { Metrics } from "../src/training/metrics.ts";
import { lossCurves, metricCurves } from "../src/training/report/charts.ts";
import { comparisonGrid, kernelGrid } from "../src/training/report/grids.ts";
import { reportHtml } from "../src/training/report/html.ts";
import { embed, latentMap, spread } from "../src/training/report/latents.ts";
import type { RunSummary } from "../src/training/report/types.ts";

const folder = mkdtempSync(join(tmpdir(), "qpi-report-"));
test.after(() => rmSync(folder, { recursive: true }));

/** Positive where x > 0, negative where y > 0 and x < 0, zero elsewhere. */
const quadrants = Float32Array.from({ length: 4096 }, (_, i) => {
	const [ix, iy] = [i >> 6, i & 63];
	if (ix >= 32) return 2;
	return iy >= 32 ? -2 : 0;
});
const rings = (k: number) =>
	Float32Array.from({ length: 4096 }, (_, i) => {
		const r = Math.hypot((i >> 6) - 31.5, (i & 63) - 31.5);
		return Math.cos(k * r) / (1 + r);
	});

/** Draws, checks that a PNG of the picture's size was written, and returns a way to look at its pixels (in the picture's own units). */
async function look(name: string, picture: Picture, scale = 2) {
	const file = join(folder, `${name}.png`);
	writeFileSync(file, renderPng(picture, scale));
	const bytes = readFileSync(file);
	assert.equal([...bytes.subarray(0, 8)], [137, 80, 78, 71, 13, 10, 26, 10]);
	assert.is(bytes.readUInt32BE(16), Math.ceil(picture.width * scale));
	assert.is(bytes.readUInt32BE(20), Math.ceil(picture.height * scale));
	assert.ok(bytes.length < 1.5e6, `${name}: ${bytes.length} bytes`);
	const image: Image = await loadImage(bytes);
	const ctx = createCanvas(image.width, image.height).getContext("2d");
	ctx.drawImage(image, 0, 0);
	return (x: number, y: number, width = 0.5, height = 0.5) => [
		...ctx.getImageData(x * scale, y * scale, width * scale, height * scale)
			.data,
	];
}

const only = (draw: Picture["draw"]): Picture => ({
	width: 64,
	height: 64,
	draw,
});
/** Dark pixels of a region: is something written there? */
const ink = (rgba: number[]) =>
	rgba.filter((v, i) => i % 4 === 1 && v < 110).length;

test("png: 256 colours are kept, rarer ones take the nearest", async () => {
	const colour = (i: number) =>
		i < 512 ? [i >> 1, 10, 200] : [(i - 512) * 6, 14, 200];
	const rgba = Uint8ClampedArray.from({ length: 4 * 544 }, (_, i) =>
		i % 4 === 3 ? 255 : colour(i >> 2)[i % 4],
	);
	const ctx = createCanvas(34, 16).getContext("2d");
	ctx.drawImage(await loadImage(Buffer.from(encodePng(rgba, 34, 16))), 0, 0);
	const { data } = ctx.getImageData(0, 0, 34, 16);
	for (let i = 0; i < 544; i++)
		assert.equal(
			[...data.subarray(4 * i, 4 * i + 3)],
			i < 512 ? colour(i) : [(i - 512) * 6, 10, 200],
		);
});

test("colours: red above zero, blue below, zero neutral and nearly white", () => {
	const at = (t: number) => [...diverging.subarray(3 * t, 3 * t + 3)];
	const last = diverging.length / 3 - 1;
	assert.equal(at(last), [103, 0, 31]);
	assert.equal(at(0), [5, 48, 97]);
	assert.equal(at(last / 2), [247, 247, 247]);
});

test("clipping: one bright pixel does not set the scale, missing ones do not count", () => {
	const image = Float32Array.from({ length: 4096 }, (_, i) => (i % 2 ? 1 : -1));
	image[7] = 1000;
	image[8] = NaN;
	assert.is(clipLimit(image), 1);
	assert.is(clipLimit([0, 0, 0, -3, ...Array(996).fill(0)]), 3);
	assert.is(clipLimit(new Float32Array(9)), 1);
	assert.is(clipLimit([]), 1);
});

test("an image: x to the right, y up; smooth or sharp, pixels' centres keep their values", async () => {
	for (const smooth of [false, true]) {
		const pixel = await look(
			`image-${smooth}`,
			only((ctx) =>
				drawImage(ctx, quadrants, [0, 0, 64], diverging, [-2, 2], smooth),
			),
			3,
		);
		const size = 1 / 3;
		const at = (x: number, y: number) => pixel(x + size, y + size, size, size);
		assert.equal(at(50, 10), [103, 0, 31, 255], "right: positive");
		assert.equal(at(50, 50), [103, 0, 31, 255], "right: positive");
		assert.equal(at(10, 10), [5, 48, 97, 255], "left above: negative");
		assert.equal(at(10, 50), [247, 247, 247, 255], "left below: zero");
	}
	assert.throws(
		() =>
			renderPng(
				only((ctx) => drawImage(ctx, [1], [0, 0, 64], diverging, [-1, 1])),
			),
		/1 values; 64x64/,
	);
});

test("a sharp image of missing values is grey; a smaller one shows means", async () => {
	const image = Float32Array.from({ length: 4096 }, (_, i) =>
		i >> 6 < 32 ? NaN : i % 2,
	);
	const pixel = await look(
		"missing",
		only((ctx) => drawImage(ctx, image, [0, 0, 32], diverging, [-1, 2])),
		1,
	);
	assert.equal(pixel(3, 3, 1, 1), [170, 170, 170, 255]);
	assert.equal(pixel(30, 3, 1, 1), [247, 247, 247, 255]);
});

test("smooth rings near Nyquist stay rings: no beat with the grid", async () => {
	const ring = Float32Array.from({ length: 4096 }, (_, i) => {
		const r = Math.hypot((i >> 6) - 31.5, (i & 63) - 31.5);
		return Math.cos(2.7 * r);
	});
	const grey = Uint8ClampedArray.from({ length: 381 }, (_, i) => 2 * (i / 3));
	const swing = async (smooth: boolean) => {
		const pixel = await look(
			`ring-${smooth}`,
			only((ctx) => drawImage(ctx, ring, [0, 0, 64], grey, [-1, 1], smooth)),
			8,
		);
		// Along the diagonal, where two periods of the grid meet: the brightest of each quarter ring must be near 1.
		const tops = Array.from({ length: 12 }, (_, k) =>
			Math.max(
				...pixel(34 + k * 2, 29 - k * 2 + 0.5, 2, 2).filter(
					(_v, i) => i % 4 === 0,
				),
			),
		);
		return Math.min(...tops);
	};
	assert.ok((await swing(true)) > 230);
	assert.ok((await swing(false)) < 215);
});

test("kernel grid: each on its own scale, labels below, long ones wrapped", async () => {
	const tiny = quadrants.map((v) => v * 1e-6);
	const kernels = [quadrants, tiny, rings(0.5)].map((image, i) => ({
		image,
		label: `${i + 1}: 4-fold\nsurface state with a long name\n−10 meV`,
	}));
	const picture = kernelGrid(kernels);
	const pixel = await look("kernels", picture);
	assert.equal(pixel(20 + 70, 20 + 40), [103, 0, 31, 255]);
	assert.equal(pixel(20 + 100 + 70, 20 + 40), [103, 0, 31, 255]);
	assert.equal(pixel(20 + 20, 20 + 70), [247, 247, 247, 255]);
	assert.ok(ink(pixel(20, 109, 88, 50)) > 200);
	assert.ok(ink(pixel(0, 0, picture.width, 19)) === 0, "the margin is clear");
	assert.ok(kernelGrid(kernels.slice(0, 1)).width === picture.width);
});

test("comparison grid: panels, scores and a method without a kernel", async () => {
	const row = {
		title: "Kernel 3, 4-fold, −10 meV; unseen energy",
		observation: quadrants,
		scatterers: [
			{ x: -100, y: -100 },
			{ x: 1000, y: 1000 },
		],
		kernels: [
			{ name: "ridge", image: rings(0.7), ncc: 0.5, mae: 0.2 },
			{ name: "two-step", image: null },
			{ name: "truth", image: quadrants },
		],
	};
	const pixel = await look("comparison", comparisonGrid([row, row]));
	const left = (column: number) => 62 + column * 142 + (column > 1 ? 8 : 0);
	assert.equal(pixel(left(0) + 100, 160), [103, 0, 31, 255]);
	assert.equal(pixel(left(4) + 30, 160), [247, 247, 247, 255]);
	assert.equal(pixel(left(3) + 100, 160), [255, 255, 255, 255], "no kernel");
	// The scatterer at (-100, -100) A is a dark pixel of the activation map, a quarter up from its corner.
	const quarter = 128 * (103.17 / 406.35);
	assert.ok(
		ink(pixel(left(1) + quarter - 3, 60 + 128 - quarter - 3, 6, 6)) > 5,
	);
	assert.ok(ink(pixel(left(1) + 70, 70, 50, 50)) === 0);
	assert.ok(ink(pixel(left(2), 190, 128, 18)) > 50, "NCC under the kernel");
	assert.ok(comparisonGrid([]).width > 0);
});

test("latent map: the same for the same seed, thumbnails apart, any number of kernels", async () => {
	const points = Array.from({ length: 24 }, (_, i) => ({
		latent: Float32Array.from(
			{ length: 16 },
			(_, d) => Math.sin(d * (1 + (i % 3))) + 0.01 * i,
		),
		image: rings(0.3 + 0.05 * i),
		label: String(i + 1),
		fold: [1, 2, 3, 4, 6][i % 5],
		unseen: i % 7 === 0,
	}));
	await look("latents", latentMap(points));
	for (const n of [1, 3, 4])
		await look(`latents-${n}`, latentMap(points.slice(0, n)));
	const latents = points.map(({ latent }) => latent);
	const first = embed(latents, 5);
	assert.equal(embed(latents, 5), first);
	assert.not.equal(embed(latents, 6), first);
	const placed = spread(first, 900, 600, 50);
	for (const [i, [x, y]] of placed.entries()) {
		assert.ok(x >= 0 && x <= 900 && y >= 0 && y <= 600);
		for (const [u, v] of placed.slice(0, i))
			assert.ok(Math.max(Math.abs(x - u), Math.abs(y - v)) > 49);
	}
});

test("charts: curves in their colours, and nothing to draw is no error", async () => {
	const points = Array.from(
		{ length: 30 },
		(_, i) => [i + 1, 0.1 * 0.9 ** i] as const,
	);
	const series = [
		{ name: "training", points },
		{ name: "held out", points: points.map(([x, y]) => [x, 2 * y] as const) },
	];
	const pixel = await look(
		"losses",
		lossCurves([
			{ title: "Kernel VAE", series },
			{ title: "Aligner", series: [{ name: "training", points: [] }] },
			{
				title: "One-step baseline",
				series: [
					{
						name: "training",
						points: [
							[1, NaN],
							[2, 0],
							[3, 1],
						],
					},
				],
			},
		]),
	);
	const rgba = pixel(0, 0, 400, 290);
	const count = (r: number, g: number, b: number) =>
		rgba.filter(
			(v, i) =>
				i % 4 === 0 && v === r && rgba[i + 1] === g && rgba[i + 2] === b,
		).length;
	assert.ok(count(0, 0x72, 0xb2) > 300, "training, blue");
	assert.ok(count(0xd5, 0x5e, 0) > 200, "held out, vermilion");
	const curve = [0, 0.1, 0.5].map((value, i) => ({
		value,
		ncc: i === 1 ? null : 0.9 - value,
		n: 3,
	}));
	await look("curves", metricCurves({ twoStep: curve, ridge: curve }, {}));
});

test("numbers are short", () => {
	assert.is(short(0.031234), "0.031");
	assert.is(short(-0.5), "−0.5");
	assert.is(short(0), "0");
	assert.is(short(0.0000412), "4.1×10⁻⁵");
});

const scores = (ncc: number | null) => ({
	mae: 0.2,
	mse: 0.04,
	rmse: 0.2,
	ncc,
	n: 12,
});
const metrics: Metrics = {
	preset: "quick",
	inputs: "physics",
	seed: 7,
	adapter: 'evil <script>alert("1")</script> & sons',
	seconds: 200,
	methods: {
		ridge: { seen: scores(0.8), unseenEnergy: scores(null) },
		twoStep: { seen: scores(0.9), unseenEnergy: scores(0.7) },
		nearest: { seen: { ...scores(0.3), n: 0 } },
	},
};
const summary: RunSummary = {
	title: "Run <7>",
	metrics,
	parameters: [["kernels & energies", 12]],
	figures: [
		{ name: "losses", png: Uint8Array.of(1, 2, 3) },
		{ name: "comparison", png: Uint8Array.of(255, 0, 9), caption: "a < b" },
	],
	command: "npm run train -- --out 'a&b'",
};

test("report: holds everything, escapes what comes from the run, asks the network for nothing", () => {
	const html = reportHtml(summary);
	assert.not.match(html, /https?:|\/\/[a-z]|<script|<link|@import/i);
	assert.match(html, "default-src 'none'");
	assert.match(html, "Run &lt;7&gt;");
	assert.match(html, "evil &lt;script&gt;alert(&quot;1&quot;)");
	assert.match(html, "kernels &amp; energies");
	assert.match(html, "--out &#39;a&amp;b&#39;");
	assert.match(html, "a &lt; b");
	assert.match(html, "3 min 20 s");
	assert.is(escapeHtml("<&>\"'"), "&lt;&amp;&gt;&quot;&#39;");
	const comparison = html.indexOf("data:image/png;base64,/wAJ");
	const losses = html.indexOf("data:image/png;base64,AQID");
	assert.ok(comparison > 0 && losses > comparison, "in the report's order");
});

test("report: the best of a column is bold, missing figures are dashes, empty splits left out", () => {
	const html = reportHtml(summary);
	assert.match(html, "<td><strong>0.9000</strong></td>");
	assert.match(html, "<td>0.8000</td>");
	assert.match(html, "<td>–</td>");
	assert.match(html, "<strong>0.7000</strong>");
	assert.not.match(html, "nearest training kernel");
	assert.not.match(html, "Unseen families");
	assert.match(
		html,
		"<strong>two-step network</strong> has the best NCC, 0.900, before ridge least squares, 0.800",
	);
	const none = reportHtml({ ...summary, metrics: { ...metrics, methods: {} } });
	assert.not.match(none, "<caption>");
});

test.run();

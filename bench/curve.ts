/**
 * `npm run bench:curve -- runs/A runs/B ...`: what a finished training would gain from more computing. The loss of what was not trained on falls as a power of the computing done (Kaplan et al., arXiv:2001.08361,
 * section 3): the exponent is fitted to each network's curve without its first fifth, and 1 - NCC is taken as proportional to the loss. Both hold near what was measured; far from it they are a guess of the order of magnitude.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Command } from "commander";
import { say } from "../src/cli/command.ts";
import { columns } from "../src/text.ts";
import { readScores } from "./scores.ts";

const command = new Command("npm run bench:curve --")
	.argument("<runs...>", "folders of finished trainings")
	.option(
		"--target <ncc>",
		"the NCC on unseen kernels that is asked for",
		Number,
		0.8,
	)
	.parse();
const { target } = command.opts<{ target: number }>();
if (!(target > 0 && target < 1))
	command.error("error: --target: expected a number between 0 and 1");

/** TFLOP of this network alone, and the loss of what was not trained on. */
type Point = readonly [flop: number, loss: number];

async function curves(folder: string): Promise<Record<string, Point[]>> {
	const path = join(folder, "learning-curve.csv");
	const text = await readFile(path, "utf8").catch(() =>
		command.error(
			`error: there is no ${path}; expected the folder of a training`,
		),
	);
	const found: Record<string, Point[]> = {};
	let before = 0;
	let last = "";
	let total = 0;
	for (const row of text.trim().split("\n").slice(1)) {
		const [network, , , flop, , loss] = row.split(",");
		if (network !== last) before = total;
		last = network;
		total = Number(flop);
		if (!found[network]) found[network] = [];
		if (loss) found[network].push([total - before, Number(loss)]);
	}
	return found;
}

/** Slope of log(loss) over log(TFLOP), and its standard error. */
function exponent(points: readonly Point[]): readonly [number, number] {
	const logs = points
		.slice(Math.ceil(points.length / 5))
		.map(([flop, loss]) => [Math.log(flop), Math.log(loss)]);
	const n = logs.length;
	const [x, y] = [0, 1].map((i) => logs.reduce((s, p) => s + p[i], 0) / n);
	const xx = logs.reduce((s, p) => s + (p[0] - x) ** 2, 0);
	const slope = logs.reduce((s, p) => s + (p[0] - x) * (p[1] - y), 0) / xx;
	const rest = logs.reduce(
		(s, p) => s + (p[1] - y - slope * (p[0] - x)) ** 2,
		0,
	);
	return [slope, Math.sqrt(rest / (n - 2) / xx)];
}

const rows = [["run", "network", "TFLOP", "loss", "exponent", "NCC"]];
rows[0].push(`TFLOP for ${target}`);
for (const folder of command.args) {
	const scores = await readScores(folder);
	for (const [network, points] of Object.entries(await curves(folder))) {
		if (points.length < 5) continue;
		const [slope, error] = exponent(points);
		const [flop, loss] = points[points.length - 1];
		const method = { aligner: "twoStep", oneStep: "oneStep" }[network];
		const all = scores?.methods[method as "twoStep" | "oneStep"]?.ncc;
		const unseen = all?.filter(
			(_, i) => scores?.observations[i].part !== "seen",
		);
		const ncc =
			unseen && unseen.reduce((s, v) => s + v, 0) / Math.max(1, unseen.length);
		const times =
			ncc === undefined || slope >= 0
				? undefined
				: ((1 - target) / (1 - ncc)) ** (1 / slope);
		rows.push([
			folder,
			network,
			flop.toFixed(1),
			loss.toFixed(3),
			`${slope.toFixed(3)} +- ${error.toFixed(3)}`,
			ncc?.toFixed(3) ?? "-",
			times ? String(Number((times * flop).toPrecision(2))) : "-",
		]);
	}
}
say(columns(rows));

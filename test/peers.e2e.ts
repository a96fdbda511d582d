// The comparison with other libraries, without them: our share of the work, against what torch computes for the same training step.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { start } from "./command.ts";

const folder = mkdtempSync(join(tmpdir(), "peers-"));
test.after(() => rmSync(folder, { recursive: true }));

/** The first losses by torch 1.13 on the CPU, bench/peers/torch_cpu.py. */
const LOSSES = [0.33368471, 0.33239317, 0.330706, 0.32931226, 0.32734674];

test("the training step goes as torch's, and the figures are written", async () => {
	const file = join(folder, "peers.json");
	const { code, stdout, stderr } = await start("bench/peers.ts", [
		"--libraries",
		"ours",
		"--works",
		"step",
		"--json",
		file,
	]).ended;
	assert.is(code, 0, stderr);
	assert.match(stdout, /\| VAE training step, batch 8 .* GFLOP\/s/);
	const { results } = JSON.parse(readFileSync(file, "utf8"));
	const { cold, median, check } = results.ours.works.step;
	assert.ok(cold > 0 && median > 0);
	for (const [i, loss] of LOSSES.entries())
		assert.ok(Math.abs(check[i] - loss) < 1e-6, `${check[i]} and ${loss}`);
});

test("a work that does not exist is one clear error", async () => {
	const { code, stderr } = await start("bench/peers.ts", ["--works", "gem"])
		.ended;
	assert.is(code, 1);
	assert.is(
		stderr.trim(),
		'error: there is no work "gem"; expected gemm, conv, convGradients, step',
	);
});

test.run();

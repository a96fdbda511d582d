/** Budgets of time for trainings. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { AUTOENCODERS } from "../src/models/autoencoderKL.ts";
import { describeAdapter, openGpu } from "../src/node/device/adapter.ts";
import { epochsWithin, secondsAStep } from "../src/training/pace.ts";
import { PRESETS, withModel } from "../src/training/presets.ts";

test("epochs fill the budget: 40 % for the VAE, equal numbers for aligner and one-step network", () => {
	const seconds = { vae: 0.5, aligner: 0.25, oneStep: 0.5 };
	const steps = { vae: 40, aligner: 100, oneStep: 100 };
	// An epoch takes 20 s, 25 s and 50 s.
	assert.equal(epochsWithin(1000, seconds, steps), [20, 8, 8]);
	assert.equal(epochsWithin(10, seconds, steps), [1, 1, 1]);
});

test("a step of each network is timed on networks of its own", async () => {
	const gpu = await openGpu({ tune: false });
	console.log(describeAdapter(gpu));
	const preset = withModel(PRESETS.smoke, "tiny");
	assert.is(preset.size, AUTOENCODERS.tiny);
	const before = gpu.statistics.bytesLive;
	const seconds = await secondsAStep(gpu, preset, "centred");
	for (const [name, value] of Object.entries(seconds))
		assert.ok(value > 0 && Number.isFinite(value), `${name}: ${value}`);
	assert.is(gpu.statistics.bytesLive, before);
	gpu.dispose();
});

test.run();

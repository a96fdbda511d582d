/** What is typed for the analyses besides the kernel, and what the program makes of it. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
	type PhysicsChoice,
	physicsChoice,
	physicsOptions,
} from "../src/cli/physicsOptions.ts";

const parse = (...words: string[]) => {
	const command = physicsOptions(new Command("extract"))
		.exitOverride()
		.configureOutput({ writeErr: () => {} });
	return physicsChoice(
		command.parse(words, { from: "user" }).opts<PhysicsChoice>(),
	);
};
const refused = async (expected: RegExp, ...words: string[]) => {
	let message = "nothing was thrown";
	try {
		await parse(...words);
	} catch (error) {
		({ message } = error as Error);
	}
	assert.match(message, expected, words.join(" "));
};

test("nothing typed: only the map's |FFT|", async () => {
	for (const [key, value] of Object.entries(await parse()))
		assert.is(value, key === "mapFft" ? true : undefined, key);
});

test("directions, rings, groups and regions are read", async () => {
	const all = await parse(
		...["--cut", "0,-45", "--ring", "0.2,0.4", "--symmetrised", "4mm,2"],
		...["--phase", "0.9,0.2", "--no-map-fft"],
	);
	assert.equal(all.cut, [0, -45]);
	assert.equal(all.ring, [0.2, 0.4]);
	assert.equal(all.symmetrised, ["4mm", "2"]);
	assert.equal(all.phase, { kind: "ring", q: 0.9, width: 0.2 });
	assert.is(all.mapFft, false);
	const bare = await parse("--ring", "--phase");
	assert.is(bare.ring, "q*");
	assert.equal(bare.phase, { kind: "all" });
	const { phase } = await parse("--phase", "0.9,0,0.2;0,0.9,0.2");
	assert.equal(phase, {
		kind: "disks",
		disks: [
			{ x: 0.9, y: 0, radius: 0.2 },
			{ x: 0, y: 0.9, radius: 0.2 },
		],
	});
});

test("what is wrong is said in words", async () => {
	await refused(/1 to 12 angles/, "--cut", "north");
	await refused(/1 to 12 angles/, "--cut", "0,");
	await refused(/wave vectors above zero/, "--ring", "-1");
	await refused(/some of 2, 3, 4, 6, 2mm/, "--symmetrised", "5m");
	await refused(/a ring q,width or disks/, "--phase", "1,2,3,4");
	await refused(/a ring q,width or disks/, "--phase", "0.5,0");
	await refused(/a,b,angle/, "--cell", "4,4");
	await refused(/a,b,angle/, "--cell", "4,4,0");
	await refused(/expected --band too/, "--fermi", "5");
	await refused(/expected one of surface, free/, "--band", '{"kind":"x"}');
	await refused(
		/expected some of mass, bottom/,
		...["--band", '{"kind":"free","mass":1,"bottom":0}', "--fit-band", "m"],
	);
});

test("hoppings need a lattice, and what is fitted must be among them", async () => {
	const folder = mkdtempSync(join(tmpdir(), "band-"));
	try {
		const file = join(folder, "a_hr.dat");
		writeFileSync(
			file,
			"x\n1\n3\n1 1 1\n0 0 0 1 1 0.1 0\n1 0 0 1 1 -0.2 0\n-1 0 0 1 1 -0.2 0\n",
		);
		await refused(/expected --cell/, "--band", file);
		const given = ["--band", file, "--cell", "3.9,3.9,90"];
		await refused(/such as t1\/0/, ...given, "--fit-band", "t2/0");
		const { theory } = await parse(...given, "--fit-band", "t1/0,shift");
		assert.equal(theory?.fit, ["t1/0", "shift"]);
		assert.match(theory?.name ?? "", /1 Wannier function in 3 cells/);
		assert.is(theory?.band.kind, "hoppings");
	} finally {
		rmSync(folder, { recursive: true });
	}
});

test.run();

/** Text from outside, as messages, reports and command lines show it. */
import { execFileSync } from "node:child_process";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { commandLine } from "../src/cli/command.ts";
import { commandOf } from "../src/extraction/results/commandLine.ts";
import { oneLine, quote, shellWord, typeset, visible } from "../src/text.ts";

const NASTY = [
	"scan.sxm",
	"",
	"a b",
	"$(touch pwned)",
	"`id`.sxm",
	'"; id; "',
	"it's",
	"'$HOME'\\'",
	"a\\nb\\",
	"line\nfeed",
	"ends\n\n",
	"\n",
	"\u001b[2Jesc\u0007'$(id)'",
	"tab\tcr\r\u009b%s%d",
	"\u202egnp.nacs",
	"-\u00e4\u{1f600}*?[a]~!#&|<>",
	"~root",
	"%n\u0001\\033",
];
const shell = (line: string): string[] =>
	execFileSync("/bin/sh", ["-c", line], { encoding: "utf8" })
		.split("\0")
		.slice(0, -1);

// There is no POSIX shell on Windows.
(process.platform === "win32" ? test.skip : test)(
	"a shell reads a quoted word as it was, and runs nothing",
	() => {
		for (const word of NASTY)
			assert.equal(shell(`printf '%s\\0' ${shellWord(word)}`), [word], word);
	},
);

(process.platform === "win32" ? test.skip : test)(
	"the report's command line, pasted into a shell, gives the words that were typed",
	() => {
		const args = process.argv;
		process.argv = ["node", "cli.ts", "extract", ...NASTY];
		try {
			const line = commandLine("npx qpi-lens extract");
			const npx = "npx() { shift 2; printf '%s\\0' \"$@\"; }";
			assert.equal(shell(`${npx}; ${line}`), NASTY);
			const page = commandOf("--out=x$(id)", { method: "auto", seed: 1 });
			assert.equal(shell(`${npx}; ${page}`), ["./--out=x$(id)"]);
		} finally {
			process.argv = args;
		}
	},
);

test("nothing that a terminal obeys is left, and JSON stays JSON", () => {
	const all = String.fromCharCode(
		...Array.from({ length: 160 }, (_, i) => i),
		0x202e,
		0x2028,
		0xfeff,
	);
	for (const text of [visible(all), oneLine(all), quote(all, 999)])
		assert.not.match(text, /[^ -~\u00a0]/);
	assert.is(JSON.parse(visible(JSON.stringify(all))), all);
});

test("a message is one line of bounded length, in linear time", () => {
	assert.is(oneLine(" a \r\n\n b\u2028c "), "a b c");
	const began = performance.now();
	assert.ok(oneLine(`found ${" ".repeat(1e6)}x`).length < 3000);
	assert.ok(oneLine(`\n${" \n".repeat(5e5)}x`) === "x");
	assert.match(oneLine(`first ${"x".repeat(1e6)} last`), /^first .* last$/);
	assert.ok(performance.now() - began < 10_000);
});

test("print has Å, ±, ×, minus signs and a band's symbols; currents, file names and other words stay", () => {
	for (const [told, printed] of [
		[
			"q = 0.165 +- 0.003 1/A (wavelength 38 A)",
			"q = 0.165 ± 0.003 1/Å (wavelength 38 Å)",
		],
		["from -80 to 80 A along x", "from −80 to 80 Å along x"],
		["an offset of 3e-12 A, 3e12 A", "an offset of 3e-12 A, 3e12 A"],
		["map 10 A.sxm, channel A, 2A", "map 10 A.sxm, channel A, 2A"],
		["57 x 57 pixels of 4 A", "57 × 57 pixels of 4 Å"],
		[
			"m* = 0.39 +- 0.01 m_e, E0 = -67 +- 1 meV (chi2/dof = 1.5)",
			"m* = 0.39 ± 0.01 mₑ, E₀ = −67 ± 1 meV (χ²/dof = 1.5)",
		],
		["E0 map.sxm, x and y", "E0 map.sxm, x and y"],
	])
		assert.is(typeset(told), printed);
});

test.run();

/** `npm run bench:shaders`, as a user runs it: that its figures hang together, not how good they are. */
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { start } from "./command.ts";

const scratch = await mkdtemp(join(tmpdir(), "qpi-bench-"));
test.after(() => rm(scratch, { recursive: true }));
const json = join(scratch, "rows.json");
const bench = (...args: string[]) => start("bench/shaders.ts", args).ended;

test("a row for each pass and variant, in the table and in the file, as parts of the peaks", async () => {
	const filter = "conv 3x3 s1 13x17 37->37";
	const ended = await bench("--filter", filter, "--json", json);
	assert.is(ended.code, 0, ended.stderr);
	const { adapter, version, peaks, rows } = JSON.parse(
		readFileSync(json, "utf8"),
	);
	assert.ok(adapter.length > 0);
	assert.match(version, /^\d+\.\d+\.\d+/);
	for (const pass of ["forward", "dx", "dw"])
		assert.ok(
			rows.some((r: { name: string }) => r.name === `${filter} ${pass}`),
			pass,
		);
	const kinds = rows.map((r: Record<string, string>) => r.name + r.variant);
	assert.is(new Set(kinds).size, rows.length, "a variant comes twice");
	const close = (a: number, b: number) =>
		assert.ok(Math.abs(a - b) <= 1e-9 * Math.abs(b), `${a}, expected ${b}`);
	for (const row of rows) {
		assert.ok(ended.stdout.includes(row.name), row.name);
		for (const figure of [row.ms, row.gflops, row.gbs, ...Object.values(peaks)])
			assert.ok(figure > 0, `${row.name}: ${figure}`);
		assert.ok(row.least <= row.ms && row.ms <= row.most);
		close(row.flopPercent, (100 * row.gflops) / peaks.gflops);
		close(row.copyPercent, (100 * row.gbs) / peaks.gbs);
		// 2 x batch x pixels x channels x channels x taps
		close(row.gflops * row.ms * 1e6, 2 * 8 * 13 * 17 * 37 * 37 * 9);
	}
});

for (const [args, message] of [
	[["--filter", "no such row"], /--filter: .*"no such row"/],
	[["--filtre", "conv"], /unknown option '--filtre'/],
	[["--filter", "silu", "--json", join(scratch, "a", "b")], /a: there is no/],
] as const)
	test(`${args.slice(0, -1).join(" ")}: one line, and nothing is timed`, async () => {
		const { code, stdout, stderr } = await bench(...args);
		assert.is(code, 1);
		assert.is(stdout, "");
		assert.match(stderr, /^error: .*\n$/);
		assert.match(stderr, message);
		assert.not(existsSync(join(scratch, "a")));
	});

test.run();

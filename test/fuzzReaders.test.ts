/** A few thousand damaged files through every reader (`npm run fuzz -- --reader all` reads as many as it is told). */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { READERS } from "../bench/fuzz/readers.ts";
import { fuzzReader } from "../bench/fuzzReaders.ts";

for (const [name, reader] of Object.entries(READERS))
	test(`${name}: what is damaged is refused in a clear line, or read whole and finite`, async () => {
		for (const whole of reader.seeds)
			assert.is(await reader.read(whole, `whole.${name}`), undefined);
		const { faults, read, refused } = await fuzzReader(name, {
			count: 1000,
			seed: 1,
		});
		assert.equal(
			faults.map(({ number, what }) => `${number}: ${what}`),
			[],
		);
		assert.ok(refused > 100 && read > 10, `${refused} refused, ${read} read`);
	});

test.run();

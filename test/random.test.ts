import { test } from "uvu";
import * as assert from "uvu/assert";
import { philox, Random } from "../src/random.ts";

const hex = (words: number[]) =>
	words.map((w) => w.toString(16).padStart(8, "0")).join(" ");

// Known-answer vectors published with the Random123 library.
test("philox4x32-10 gives the published vectors", () => {
	assert.is(
		hex(philox([0, 0, 0, 0], [0, 0])),
		"6627e8d5 e169c58d bc57ac4c 9b00dbd8",
	);
	const ones = 0xffffffff;
	assert.is(
		hex(philox([ones, ones, ones, ones], [ones, ones])),
		"408f276d 41c83b0e a20bc7c6 6d5451fd",
	);
	assert.is(
		hex(
			philox(
				[0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
				[0xa4093822, 0x299f31d0],
			),
		),
		"d16cfe09 94fdcceb 5001e420 24126ea1",
	);
});

test("a stream is resumed from its count of draws", () => {
	const a = new Random(7, 3);
	for (let i = 0; i < 13; i++) a.uniform();
	const b = new Random(7, 3);
	b.drawn = a.drawn;
	assert.is(a.uniform(), b.uniform());
	assert.is.not(new Random(7, 4).uniform(), new Random(7, 3).uniform());
});

test("seeds and streams that are no whole numbers of 32 bits are refused", () => {
	for (const bad of [-1, 1.9, 2 ** 32, Number.NaN, Number.POSITIVE_INFINITY]) {
		assert.throws(
			() => new Random(bad),
			`Random: seed ${bad}; expected a whole number from 0 to 4294967295`,
		);
		assert.throws(() => new Random(1, bad), `Random: stream ${bad};`);
	}
	// The streams of old figures are as they were.
	assert.is(new Random(1).uint32(), philox([0, 0, 0, 0], [1, 0])[0]);
	const last = 2 ** 32 - 1;
	assert.is(
		new Random(last, last).uint32(),
		philox([0, 0, 0, 0], [last, last])[0],
	);
});

test("uniform and normal have the right moments", () => {
	const random = new Random(1);
	const n = 20000;
	let mean = 0;
	let second = 0;
	let uniform = 0;
	for (let i = 0; i < n; i++) {
		const z = random.normal();
		mean += z / n;
		second += (z * z) / n;
		uniform += random.uniform() / n;
	}
	assert.ok(Math.abs(mean) < 0.03, `mean ${mean}`);
	assert.ok(Math.abs(second - 1) < 0.05, `variance ${second}`);
	assert.ok(Math.abs(uniform - 0.5) < 0.01, `uniform ${uniform}`);
});

test.run();

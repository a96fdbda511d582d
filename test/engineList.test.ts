/** The list of all that the engine has, in its README, is that of its exports. */
import { readFile } from "node:fs/promises";
import { test } from "uvu";
import * as assert from "uvu/assert";
import * as engine from "../src/engine/index.ts";

const readme = await readFile(
	new URL("../src/engine/README.md", import.meta.url),
	"utf8",
);
const section = /\n## All that there is\n(.*?)\n## /s.exec(readme)?.[1] ?? "";

test("the README lists each export of the engine once, and nothing else", () => {
	const listed = [...section.matchAll(/`([\w.]+)`/g)]
		.map(([, name]) => name)
		.filter((name) => name !== "init"); // the group of the others
	const there = Object.keys(engine)
		.filter((name) => name !== "init")
		.concat(Object.keys(engine.init).map((name) => `init.${name}`));
	assert.equal(listed.sort(), there.sort());
});

test.run();

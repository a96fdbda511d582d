/** The list of all that the engine has, in its README, is that of the exports of qpi-lens/engine. */
import { readFile } from "node:fs/promises";
import { test } from "uvu";
import * as assert from "uvu/assert";
import * as engine from "../src/node/engine.ts";

const readme = await readFile(
	new URL("../src/engine/README.md", import.meta.url),
	"utf8",
);
const web = await readFile(
	new URL("../src/web/engine.ts", import.meta.url),
	"utf8",
);
const section = /\n## All that there is\n(.*?)\n## /s.exec(readme)?.[1] ?? "";

test("the README lists each export of the engine once, and nothing else", () => {
	const listed = [...section.matchAll(/`([\w.]+)`/g)]
		.map(([, name]) => name)
		.filter((name) => !["init", "gpu.adapterName"].includes(name)); // the group of the others
	const inPages = /export \{ (.*) \} from/.exec(web)?.[1].split(", ") ?? [];
	const there = [...new Set([...Object.keys(engine), ...inPages])]
		.filter((name) => name !== "init")
		.concat(Object.keys(engine.init).map((name) => `init.${name}`));
	assert.equal(listed.sort(), there.sort());
});

test.run();

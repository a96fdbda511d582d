// Shaders as a bundle for browsers has them.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { withoutComments } from "../src/build/wgsl.ts";
import { wgslOf } from "../src/node/files/package.ts";

/** A line without its comment and the blanks around. */
const bare = (line: string) => line.replace(/ *\/\/.*/, "").trim();

for (const folder of ["shaders", "shaders/parts"] as const)
	for (const [name, source] of Object.entries(wgslOf(folder)))
		test(`${folder}/${name}.wgsl keeps its lines and imports, and loses comments and indentation`, () => {
			const kept = withoutComments(name, source).split("\n");
			const lines = source.split("\n");
			assert.is(kept.length, lines.length);
			for (const [i, line] of lines.entries())
				assert.is(
					kept[i],
					line.startsWith("// import ") ? line : bare(line),
					`line ${i + 1}`,
				);
		});

test("what is not read is refused", () => {
	assert.throws(
		() => withoutComments("odd", "/* no */ fn f() {}"),
		/^odd\.wgsl: found "\/\*", expected line comments only$/,
	);
	assert.is(withoutComments("fine", "// /* Å\n\tx / 2; // y"), "\nx / 2;");
});

test.run();

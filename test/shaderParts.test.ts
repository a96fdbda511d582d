// Parts that shaders import: what is joined, what is refused, and which file and line errors name.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Gpu } from "../src/engine/device/gpu.ts";
import { empty } from "../src/engine/tensors/tensor.ts";
import { reflect } from "../src/engine/wgsl/reflect.ts";
import { joinShader, originOf } from "../src/engine/wgsl/shaderParts.ts";
import { openGpu } from "../src/node/device/adapter.ts";

const parts = {
	low: "const LOW = 1u;\n",
	high: "// import low\nconst HIGH = LOW + 1u;\n",
	self: "\n// import self\n",
	here: "// import there\n",
	there: "// import here\n",
};
const source = `// A shader.
// import high
// import low
fn f() -> u32 { return LOW + HIGH; }
`;

test("a part is joined once, and before the part that needs it", () => {
	const code = joinShader("x", source, parts)
		.split("\n")
		.filter((line) => line && !line.startsWith("//"));
	assert.equal(code, [
		"const LOW = 1u;",
		"const HIGH = LOW + 1u;",
		"fn f() -> u32 { return LOW + HIGH; }",
	]);
});

test("every line of joined text is named by the file and line that it was written in", () => {
	const files: Record<string, string> = { "x.wgsl": source };
	for (const [name, part] of Object.entries(parts))
		files[`parts/${name}.wgsl`] = part;
	const joined = joinShader("x", source, parts);
	let checked = 0;
	joined.split("\n").forEach((line, i) => {
		if (/^\/\/ (from|import) /.test(line)) return;
		const [file, number] = originOf("x", joined, i + 1).split(":");
		assert.is(files[file].split("\n")[Number(number) - 1], line);
		checked++;
	});
	assert.is(checked, 5); // two of parts, and of the shader all but its imports
});

test("unknown parts and cycles are refused with file and line", () => {
	const refused = (text: string, message: RegExp) =>
		assert.throws(() => joinShader("x", text, parts), message);
	refused(
		"\n// import middle",
		/^x\.wgsl:2: there is no part "middle", only low, high, /,
	);
	refused(
		"// import self",
		/^parts\/self\.wgsl:2: parts import each other: self > self$/,
	);
	refused("// import here", /^parts\/there\.wgsl:1: .*: here > there > here$/);
});

test("a comment that only begins like an import is none", () => {
	const text = "// imports are joined\n\t// import low\nfn f() {}";
	assert.is(joinShader("x", text, parts), text);
});

const bad = (wrong: string) =>
	joinShader(
		"broken",
		`@group(0) @binding(0) var<storage, read_write> y: array<f32>;
// import wrong
@compute @workgroup_size(64) fn main() { y[0] = wrong(); }`,
		{ wrong },
	);

test("what cannot be read is named by the file and line of the part", () => {
	assert.throws(
		() => reflect("broken", bad("fn wrong() -> f32 {\n\n\treturn (1.0];\n}\n")),
		/^parts\/wrong\.wgsl:3: found "\]", expected "\)"$/,
	);
});

test("what the compiler finds wrong is named by the file and line of the part", async () => {
	const { device, adapterName } = await openGpu();
	const gpu = new Gpu(device, {
		adapterName,
		shaders: { broken: bad("fn wrong() -> f32 {\n\treturn 1u;\n}\n") },
	});
	const y = empty(gpu, [1]);
	let message = "";
	try {
		gpu.run({
			...{ shader: "broken", entry: "main" },
			...{ bindings: { y }, workgroups: [1] },
		});
		await y.data();
	} catch (error) {
		message = String(error);
	}
	assert.match(message, /broken\.wgsl: parts\/wrong\.wgsl:2:\d+: .*u32/);
	gpu.dispose();
});

test.run();

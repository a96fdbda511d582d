// What is read from WGSL: the same as another parser finds, by WGSL's own rules, and what cannot be bound is refused with its line.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { reflect } from "../src/engine/wgsl/reflect.ts";
import { loadShaders } from "../src/node/device/shaders.ts";

// Its main file is CommonJS under "type": "module", which Node refuses, and its ES module has no types.
const { WgslReflect }: typeof import("wgsl_reflect") = await import(
	"wgsl_reflect/wgsl_reflect.module.js" as string
);

/** Types and functions that the other parser does not know, each in a line of its own. */
const MATRIX_LINE = /^.*subgroup_?matrix.*$/gim;

for (const [name, source] of Object.entries(loadShaders()))
	test(`${name}.wgsl: bindings, parameters, overrides as wgsl_reflect finds them`, () => {
		const other = new WgslReflect(source.replace(MATRIX_LINE, ""));
		const layouts = reflect(name, source);
		assert.equal(
			Object.keys(layouts),
			other.entry.compute.map((entry) => entry.name),
		);
		for (const entry of other.entry.compute) {
			const { bindings, params, overrides } = layouts[entry.name];
			const resources = [...entry.resources].sort(
				(a, b) => a.binding - b.binding,
			);
			assert.equal(
				bindings,
				resources
					.filter((r) => r.name !== "params")
					.map(({ name, binding, access }) => ({
						...{ name, binding },
						writable: access === "read_write",
					})),
			);
			const uniform = resources.find((r) => r.name === "params");
			const struct = other.structs.find((s) => s.name === uniform?.type.name);
			assert.is(params?.binding, uniform?.binding);
			assert.equal(
				params?.fields.map((f) => [f.name, f.offset, 4 * f.length]),
				uniform && struct?.members.map((m) => [m.name, m.offset, m.size]),
			);
			assert.equal(
				[...overrides],
				other.overrides.map((o) => o.name),
			);
		}
	});

const ODD = `/* a comment /* in a */ comment: @compute fn not() {} */
enable f16; requires readonly_and_readwrite_storage_textures;
alias Pair = vec2<Number>; alias Number = u32;
struct Options { a: f32, b: Pair, /* 16 */ c: vec3<f32>, d: i32, }
struct Inner { y: f32 }
@group(0) @binding(3) var<uniform> options: Options;
@binding(1) @group(0) var<storage> x: array<vec2<f32>>;
@group(0) @binding(0) var<storage, read_write> y: array<atomic<u32>, 4>;
@group(0) @binding(7) var<storage, read_write> z: array<f32>;
override WIDTH: u32 = 4 << (1 + 1); const_assert 1 < 2;
var<workgroup> block: array<f32, (1 << 3)>; // a name that other parsers refuse
fn shadowed(x: f32, i: Inner) -> f32 { let y = x; return y + i.z; }
fn outer() -> f32 { if (1 < 2 && 3 > 2) { return inner(); } return 0; }
fn inner() -> f32 { return z[0]; }
@compute @workgroup_size(WIDTH * 4u, 1) fn direct(@builtin(global_invocation_id) id: vec3u) { let d = options.d; _ = shadowed(1, Inner(2)); }
@workgroup_size(1) @compute fn indirect() { block[0] = outer(); _ = x[0]; atomicAdd(&y[0], 1); }
`;
test("names are found through calls, and are no members or locals; structs lie as WGSL lays them out", () => {
	const { direct, indirect, ...rest } = reflect("odd", ODD);
	assert.equal(rest, {});
	assert.equal(direct.bindings, []);
	assert.equal([...direct.overrides], ["WIDTH"]);
	assert.equal(direct.params, {
		binding: 3,
		size: 32,
		fields: [
			{ name: "a", offset: 0, type: "f32", length: 1 },
			{ name: "b", offset: 8, type: "u32", length: 2 },
			{ name: "c", offset: 16, type: "f32", length: 3 },
			{ name: "d", offset: 28, type: "i32", length: 1 },
		],
	});
	assert.is(indirect.params, undefined);
	assert.equal(indirect.bindings, [
		{ name: "y", binding: 0, writable: true },
		{ name: "x", binding: 1, writable: false },
		{ name: "z", binding: 7, writable: true },
	]);
});

const entry = (uses: string) =>
	`\n@compute @workgroup_size(1) fn f() { _ = ${uses}; }`;
const REFUSED: Readonly<Record<string, [string, RegExp]>> = {
	"no entry point": ["fn f() {}", /^x\.wgsl: no @compute entry point$/],
	"an open brace": [
		"fn f() {\n(1);\n",
		/^x\.wgsl:2: found the end, expected "}" for the "{" of line 1$/,
	],
	"a bracket too many": [
		"fn f() {\n(1]);\n}",
		/^x\.wgsl:2: found "\]", expected "\)"$/,
	],
	"a declaration that is none": [
		"\n= 3;",
		/^x\.wgsl:2: found "=", expected a declaration$/,
	],
	"another group": [
		`\n@group(1) @binding(0) var<storage> a: array<f32>;${entry("a[0]")}`,
		/^x\.wgsl:2: "a" is in @group\(1\), expected @group\(0\)$/,
	],
	"a texture": [
		`@group(0) @binding(0) var a: texture_2d<f32>;${entry("a")}`,
		/^x\.wgsl:1: "a" is texture_2d<f32>, expected var<storage, read>, /,
	],
	"a uniform that is no struct": [
		`@group(0) @binding(0) var<uniform> p: vec4f;${entry("p")}`,
		/^x\.wgsl:1: uniform "p" is no struct$/,
	],
	"a matrix among the parameters": [
		`struct P {\n\tm: mat2x2f }\n@group(0) @binding(0) var<uniform> p: P;${entry("p")}`,
		/^x\.wgsl:2: p\.m has type mat2x2f; expected f32, u32, i32 or a vector/,
	],
	"a member with a place of its own": [
		`struct P { @align(16) m: f32 }\n@group(0) @binding(0) var<uniform> p: P;${entry("p")}`,
		/^x\.wgsl:1: p\.m has @align; expected a member without$/,
	],
	"too many parameters": [
		`struct P { ${Array.from({ length: 65 }, (_, i) => `m${i}: f32,`).join(" ")} }\n@group(0) @binding(0) var<uniform> p: P;${entry("p")}`,
		/^x\.wgsl:2: uniform "p" has 260 bytes, expected at most 256$/,
	],
	"two uniforms": [
		`struct P { m: f32 }\n@group(0) @binding(0) var<uniform> p: P;\n@group(0) @binding(1) var<uniform> q: P;${entry("p.m + q.m")}`,
		/^x\.wgsl:3: "q" is the second uniform of f; expected one struct/,
	],
};
for (const [what, [source, message]] of Object.entries(REFUSED))
	test(`${what}: refused in one line`, () => {
		assert.throws(() => reflect("x", source), message);
	});

test.run();

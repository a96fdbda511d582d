// Shaders as a bundle for browsers has them.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { minifiedPieces, minifyWgsl } from "../src/build/wgsl.ts";
import { loadShaders } from "../src/node/device/shaders.ts";

/** The tokens of WGSL, the longest first, as its grammar has them ("a--b" holds a decrement). Angle brackets are read singly: of templates they stand together. */
const tokens = (source: string) =>
	source
		.replaceAll(/\/\/.*$/gm, "")
		.match(
			/[\w.]+|&&|\|\||->|\+\+|--|\+=|-=|\*=|\/=|%=|&=|\|=|\^=|==|!=|\/\*|[^\w.\s]/g,
		) ?? [];

for (const [name, source] of Object.entries(loadShaders()))
	test(`${name}.wgsl keeps its tokens, and loses comments and blanks`, () => {
		const minified = minifyWgsl(name, source);
		assert.equal(tokens(minified), tokens(source));
		assert.ok(minified.length < 0.8 * source.length);
		assert.is(minifiedPieces(name, source).join(""), minified);
	});

test("tokens that would become one stay apart", () => {
	const apart = (source: string) => minifyWgsl("x", source);
	assert.is(apart("a - -b"), "a- -b");
	assert.is(apart("a / *p"), "a/ *p");
	assert.is(apart("a & &b"), "a& &b");
	assert.is(apart("let  x = - 1.5; // why"), "let x= -1.5;");
	assert.is(apart("f ( x , y )"), "f(x,y)");
});

test("what is not read is refused", () => {
	assert.throws(
		() => minifyWgsl("odd", "/* no */ fn f() {}"),
		/odd\.wgsl: found "\/\*", expected line comments/,
	);
	assert.throws(() => minifyWgsl("odd", "let α = 1;"), /found "α"/);
	assert.is(minifyWgsl("fine", "// Å\nfn f() {}"), "fn f(){}");
});

test.run();

import { named } from "../basics/named.ts";
import { readDeclarations } from "../wgsl/declarations.ts";
import { reflect } from "../wgsl/reflect.ts";
import { joinShader, originOf } from "../wgsl/shaderParts.ts";
import { placesOfErrors } from "./pipelines.ts";

/** WGSL sources by name. */
export type Shaders = Readonly<Record<string, string>>;

/**
 * Our shaders and those of whoever embeds the engine, joined with the parts that they import. Rejects where a name is taken or is no name, where the WGSL does not compile on `device`
 * (with all that the compiler says), and where it declares what the engine cannot bind. Errors begin with the shader's name, and with the line where there is one.
 *
 * @param ours.shaders joined already
 * @param own names are words, as of ours
 */
export async function joinOwnShaders(
	device: GPUDevice,
	ours: { readonly shaders: Shaders; readonly parts: Shaders },
	own: Shaders = {},
): Promise<Shaders> {
	if (Object.getPrototypeOf(Object(own)) !== Object.prototype)
		throw new TypeError(
			`createEngine: found ${named(own)} as shaders, expected an object of WGSL sources by name`,
		);
	const all: Record<string, string> = { ...ours.shaders };
	for (const [name, source] of Object.entries(own)) {
		if (!/^[A-Za-z]\w*$/.test(name))
			throw new Error(
				`createEngine: found the shader name "${name}", expected letters and digits`,
			);
		if (Object.hasOwn(ours.shaders, name))
			throw new Error(
				`createEngine: the engine has a shader "${name}" of its own; expected another name`,
			);
		if (typeof source !== "string")
			throw new TypeError(
				`createEngine: found ${named(source)} as shader "${name}", expected its WGSL`,
			);
		const code = joinShader(name, source, ours.parts);
		await checkCompiles(device, name, code);
		reflect(name, code);
		checkFloats(name, code);
		all[name] = code;
	}
	return all;
}

/** Tensors hold floats: bits of them are no integers. */
function checkFloats(name: string, code: string): void {
	const { variables, aliases } = readDeclarations(code);
	for (const { name: binding, space, type, line } of variables) {
		const meant = type.replace(/\w+/g, (word) => aliases.get(word) ?? word);
		if (
			space.startsWith("storage") &&
			/\b([iu]32|vec[234][iu]|atomic)\b/.test(meant)
		)
			throw new Error(
				`${originOf(name, code, line)}: "${binding}" is ${type}, expected an array of f32, which tensors hold; u32() and i32() convert one`,
			);
	}
}

async function checkCompiles(
	device: GPUDevice,
	name: string,
	code: string,
): Promise<void> {
	device.pushErrorScope("validation");
	const module = device.createShaderModule({ label: `${name}.wgsl`, code });
	const error = await device.popErrorScope();
	if (error)
		throw new Error(
			(await placesOfErrors(name, code, module)) || error.message,
		);
}

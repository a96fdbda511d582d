import {
	type Declarations,
	type Member,
	readDeclarations,
	type Variable,
} from "./declarations.ts";
import type { EntryLayout, Field, Layouts, Scalar } from "./kernel.ts";
import { originOf } from "./shaderParts.ts";
import { WgslError } from "./tokens.ts";

/** Bytes of the largest Params: each dispatch has a slot of that size in one buffer. */
export const PARAMS_BYTES = 256;

/** Reads every compute entry point of a WGSL source. Throws with the shader's name, and where it can with the line, where the source breaks the house's form. */
export function reflect(shader: string, source: string): Layouts {
	try {
		return layoutsOf(shader, readDeclarations(source));
	} catch (error) {
		if (!(error instanceof WgslError)) throw error;
		throw new Error(
			`${originOf(shader, source, error.line)}: ${error.message}`,
			{ cause: error },
		);
	}
}

function layoutsOf(shader: string, module: Declarations): Layouts {
	const layouts: Record<string, EntryLayout> = {};
	for (const [entry, { attributes }] of module.functions) {
		if (attributes.compute === undefined) continue;
		const used = reachable(module, entry);
		const resources = module.variables
			.filter(({ name, attributes: { binding } }) => binding && used.has(name))
			.map((variable) => ({ ...variable, binding: bindingOf(variable) }))
			.sort((a, b) => a.binding - b.binding);
		const [uniform, second] = resources.filter((r) => r.space === "uniform");
		if (second)
			throw new WgslError(
				second.line,
				`"${second.name}" is the second uniform of ${entry}; expected one struct for all parameters`,
			);
		layouts[entry] = {
			shader,
			entry,
			bindings: resources
				.filter((r) => r !== uniform)
				.map(({ name, binding, space }) => ({
					name,
					binding,
					writable: space === "storage, read_write",
				})),
			params: uniform && {
				binding: uniform.binding,
				...fields(module, uniform),
			},
			overrides: module.overrides,
		};
	}
	if (Object.keys(layouts).length === 0)
		throw new Error(`${shader}.wgsl: no @compute entry point`);
	return layouts;
}

/** The names that a function uses, itself and by the functions that it calls. */
function reachable({ functions }: Declarations, entry: string): Set<string> {
	const names = new Set([entry]);
	for (const name of names)
		for (const used of functions.get(name)?.uses ?? []) names.add(used);
	return names;
}

function bindingOf({ name, space, type, attributes, line }: Variable): number {
	const { group, binding } = attributes;
	if (!/^0[ui]?$/.test(group ?? ""))
		throw new WgslError(
			line,
			`"${name}" is in @group(${group ?? ""}), expected @group(0)`,
		);
	if (!/^(uniform|storage|storage, read(_write)?)$/.test(space))
		throw new WgslError(
			line,
			`"${name}" is ${space ? `var<${space}>` : type}, expected var<storage, read>, var<storage, read_write> or var<uniform>`,
		);
	if (!/^\d+[ui]?$/.test(binding))
		throw new WgslError(
			line,
			`"${name}" has @binding(${binding}), expected a number`,
		);
	return Number.parseInt(binding, 10);
}

/** How a struct of scalars and vectors lies in memory. */
function fields(
	module: Declarations,
	{ name: uniform, type, line }: Variable,
): { size: number; fields: Field[] } {
	const members = module.structs.get(resolved(module, type));
	if (!members) throw new WgslError(line, `uniform "${uniform}" is no struct`);
	let end = 0;
	const fields = members.map((member) => {
		const { scalar, length } = kindOf(module, uniform, member);
		const align = 4 * (length === 3 ? 4 : length);
		const offset = Math.ceil(end / align) * align;
		end = offset + 4 * length;
		return { name: member.name, offset, type: scalar, length };
	});
	if (end > PARAMS_BYTES)
		throw new WgslError(
			line,
			`uniform "${uniform}" has ${end} bytes, expected at most ${PARAMS_BYTES}`,
		);
	return { size: Math.ceil(end / 16) * 16, fields };
}

function kindOf(
	module: Declarations,
	uniform: string,
	{ name, type, attributes, line }: Member,
): { scalar: Scalar; length: number } {
	const match = /^(?:vec([234]))?<?([fiu])(?:32)?>?$/.exec(
		resolved(module, type),
	);
	if (!match)
		throw new WgslError(
			line,
			`${uniform}.${name} has type ${type}; expected f32, u32, i32 or a vector of them`,
		);
	const [placed] = Object.keys(attributes);
	if (placed)
		throw new WgslError(
			line,
			`${uniform}.${name} has @${placed}; expected a member without`,
		);
	return { scalar: `${match[2]}32` as Scalar, length: Number(match[1] ?? 1) };
}

function resolved({ aliases }: Declarations, type: string): string {
	const inner = type.replace(
		/<(\w+)>$/,
		(_, name) => `<${aliases.get(name) ?? name}>`,
	);
	const meant = aliases.get(inner);
	return meant === undefined
		? inner
		: resolved({ aliases } as Declarations, meant);
}

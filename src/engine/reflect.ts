import {
	type VariableInfo,
	WgslReflect,
} from "wgsl_reflect/wgsl_reflect.module.js";

import type { EntryLayout, Field, Layouts, Scalar } from "./kernel.ts";
import { originOf } from "./shaderParts.ts";

const UNIFORM = 0;
const STORAGE = 1;

function fieldOf(
	shader: string,
	member: { name: string; offset: number; type: { name: string } },
): Field {
	const match = /^(?:vec(\d))?(f|i|u)(?:32)?$/.exec(
		member.type.name.replace(/^vec(\d)<(\w)32>$/, "vec$1$2"),
	);
	if (!match)
		throw new Error(
			`${shader}.wgsl: params.${member.name} has type ${member.type.name}; expected f32, u32, i32 or a vector of them`,
		);
	const type = `${match[2]}32` as Scalar;
	return {
		name: member.name,
		offset: member.offset,
		type,
		length: match[1] ? Number(match[1]) : 1,
	};
}

/**
 * What wgsl_reflect cannot parse: types and functions of subgroup matrices. Shaders keep each in a line of its own, which declares nothing
 * that is read here.
 */
const MATRIX_LINE = /^.*subgroup_?matrix.*$/gim;

/** The parser knows less than WGSL (a variable may not be called `block`, say), and names lines only: of joined text, without a file. */
function parse(shader: string, source: string): WgslReflect {
	try {
		return new WgslReflect(source.replace(MATRIX_LINE, ""));
	} catch (error) {
		const [, what, line] =
			/^(.*?)\.* Line: ?(\d+)/s.exec((error as Error).message) ?? [];
		if (!line)
			throw new Error(`${shader}.wgsl: ${(error as Error).message}`, {
				cause: error,
			});
		const code = source.split("\n")[Number(line) - 1]?.trim();
		throw new Error(
			`${originOf(shader, source, Number(line))}: ${what}, in "${code}"`,
			{ cause: error },
		);
	}
}

/** Reads every compute entry point of a WGSL source. Throws with the shader's name where the source breaks the house's form. */
export function reflect(shader: string, source: string): Layouts {
	const module = parse(shader, source);
	const overrides = module.overrides.map((o) => o.name);
	const layouts: Record<string, EntryLayout> = {};
	for (const entry of module.entry.compute) {
		const resources = [...entry.resources].sort(
			(a: VariableInfo, b: VariableInfo) => a.binding - b.binding,
		);
		const uniform = resources.find((r) => r.resourceType === UNIFORM);
		const struct = uniform
			? module.structs.find((s) => s.name === uniform.type.name)
			: undefined;
		if (uniform && !struct)
			throw new Error(`${shader}.wgsl: uniform "${uniform.name}" is no struct`);
		layouts[entry.name] = {
			shader,
			entry: entry.name,
			bindings: resources
				.filter((r) => r.resourceType === STORAGE)
				.map((r) => ({
					name: r.name,
					binding: r.binding,
					writable: r.access === "read_write",
				})),
			params:
				uniform && struct
					? {
							binding: uniform.binding,
							size: Math.ceil(struct.size / 16) * 16,
							fields: struct.members.map((m) => fieldOf(shader, m)),
						}
					: undefined,
			overrides,
		};
	}
	if (Object.keys(layouts).length === 0)
		throw new Error(`${shader}.wgsl: no @compute entry point`);
	return layouts;
}

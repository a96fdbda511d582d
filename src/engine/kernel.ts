import {
	type VariableInfo,
	WgslReflect,
} from "wgsl_reflect/wgsl_reflect.module.js";

/**
 * What a shader file declares, read from the WGSL itself so that the host cannot drift from it: bindings by name, the layout
 * of `struct Params`, and the entry points.
 */

export type Scalar = "f32" | "u32" | "i32";

interface Field {
	readonly name: string;
	readonly offset: number;
	readonly type: Scalar;
	readonly length: number;
}

/** One entry point of a shader: its storage bindings in binding order, and the fields of its uniform `params`. */
export interface EntryLayout {
	readonly shader: string;
	readonly entry: string;
	readonly bindings: readonly {
		readonly name: string;
		readonly binding: number;
		readonly writable: boolean;
	}[];
	readonly params?: {
		readonly binding: number;
		readonly size: number;
		readonly fields: readonly Field[];
	};
	/** Names of the module's `override` constants. */
	readonly overrides: ReadonlySet<string>;
}

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

/** Reads every compute entry point of a WGSL source. Throws with the shader's name where the source breaks the house's form. */
export function reflect(
	shader: string,
	source: string,
): Map<string, EntryLayout> {
	const module = new WgslReflect(source.replace(MATRIX_LINE, ""));
	const overrides = new Set(module.overrides.map((o) => o.name));
	const layouts = new Map<string, EntryLayout>();
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
		layouts.set(entry.name, {
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
		});
	}
	if (layouts.size === 0)
		throw new Error(`${shader}.wgsl: no @compute entry point`);
	return layouts;
}

export type ParamValue = number | readonly number[];

/** Writes named values into a uniform slot as the shader's struct lays them out; any missing or unknown name throws. */
export function writeParams(
	layout: EntryLayout,
	values: Readonly<Record<string, ParamValue>>,
	view: DataView,
	base: number,
): void {
	const where = `${layout.shader}.wgsl ${layout.entry}`;
	const fields = layout.params?.fields ?? [];
	let known = 0;
	for (const { name, offset, type, length } of fields) {
		const value = values[name];
		if (value === undefined)
			throw new Error(`${where}: parameter "${name}" is missing`);
		known++;
		const list = typeof value === "number" ? [value] : value;
		if (list.length !== length)
			throw new Error(
				`${where}: parameter "${name}" has ${list.length} components, expected ${length}`,
			);
		list.forEach((v, i) => {
			const at = base + offset + 4 * i;
			if (type === "f32") {
				view.setFloat32(at, v, true);
				return;
			}
			const whole = Number.isInteger(v) && Math.abs(v) < 2 ** 32;
			if (!whole || (type === "u32" && v < 0))
				throw new Error(
					`${where}: parameter "${name}" is ${v}, expected ${type}`,
				);
			if (type === "u32") view.setUint32(at, v, true);
			else view.setInt32(at, v, true);
		});
	}
	if (known !== Object.keys(values).length) {
		const extra = Object.keys(values).filter(
			(name) => !fields.some((f) => f.name === name),
		);
		throw new Error(`${where}: unknown parameter "${extra.join('", "')}"`);
	}
}

import { isList, named } from "../basics/named.ts";

/**
 * What a shader file declares: bindings by name, the layout of `struct Params`, and the entry points. It is read from the WGSL itself
 * (reflect.ts), so that the host cannot drift from it.
 */

export type Scalar = "f32" | "u32" | "i32";

export interface Field {
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
	readonly overrides: readonly string[];
}

/** The entry points of a shader by their names. */
export type Layouts = Readonly<Record<string, EntryLayout>>;

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
			throw new Error(
				`${where}: parameter "${name}" is missing${unknownOf(fields, values)
					.map((given) => `; there is none "${given}"`)
					.join("")}`,
			);
		known++;
		const list = typeof value === "number" ? [value] : value;
		if (!isList(list) || !list.every((v) => typeof v === "number"))
			throw new TypeError(
				`${where}: parameter "${name}" is ${named(value)}, expected ${length === 1 ? "a number" : `${length} numbers`}`,
			);
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
	if (known !== Object.keys(values).length)
		throw new Error(
			`${where}: unknown parameter "${unknownOf(fields, values).join('", "')}"`,
		);
}

const unknownOf = (fields: readonly Field[], values: object) =>
	Object.keys(values).filter((name) => !fields.some((f) => f.name === name));

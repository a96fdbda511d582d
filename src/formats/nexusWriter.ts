/** NeXus files, written: a group NXdata a field, with its axes. */
import type { Group } from "h5wasm";
import { type Field, placeOf, rowsOf } from "./field.ts";
import { loadHdf5, withFile } from "./h5wasm.ts";

/** One HDF5 file of all fields; entry/NAME/data has the indices energy (of a stack), y and x. Throws FormatError where h5wasm is not installed. */
export async function encodeNexus(
	fields: readonly Field[],
	title: string,
): Promise<Uint8Array> {
	const library = await loadHdf5("writing HDF5");
	return withFile(library, undefined, (name) => {
		const file = new library.File(name, "w");
		file.create_attribute("NX_class", "NXroot");
		file.create_attribute("default", "entry");
		const entry = file.create_group("entry");
		entry.create_attribute("NX_class", "NXentry");
		if (fields.length > 0) entry.create_attribute("default", fields[0].name);
		entry.create_dataset({ name: "title", data: title });
		for (const field of fields) write(entry, field);
		file.close();
		return (library.FS?.readFile(name) ?? new Uint8Array()) as Uint8Array;
	});
}

function write(entry: Group, field: Field): void {
	const { nx, ny, images, energies } = field;
	const group = entry.create_group(field.name);
	const count = images.length;
	const axes = count > 1 ? ["energy", "y", "x"] : ["y", "x"];
	group.create_attribute("NX_class", "NXdata");
	group.create_attribute("signal", "data");
	group.create_attribute("axes", axes);
	const put = (
		name: string,
		data: Float32Array | Float64Array,
		units: string,
		shape: number[],
	) => {
		const dataset = group.create_dataset({ name, data, shape });
		if (units) dataset.create_attribute("units", units);
	};
	put(
		"data",
		rowsOf(field, "bottom"),
		field.unit,
		count > 1 ? [count, ny, nx] : [ny, nx],
	);
	const { step, x, y } = placeOf(field);
	const axis = (start: number, n: number) =>
		Float64Array.from({ length: n }, (_, i) => start + i * step);
	put("x", axis(x, nx), "m", [nx]);
	put("y", axis(y, ny), "m", [ny]);
	if (count > 1)
		put(
			"energy",
			Float64Array.from(energies ?? images.map((_, i) => i)),
			energies ? "eV" : "",
			[count],
		);
	else if (energies)
		group
			.create_dataset({ name: "bias_voltage", data: energies[0] })
			.create_attribute("units", "V");
}

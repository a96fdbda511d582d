/** Images as they are written for other programs. */

export interface Field {
	readonly name: string;
	readonly unit: string;
	readonly nx: number;
	readonly ny: number;
	/** Angstrom; the middle of the image is the origin of x and y. */
	readonly pixel: number;
	/** One, or one an energy; image[ix * ny + iy], y upward, NaN = not measured. */
	readonly images: readonly Float32Array[];
	/** eV, one an image, where they are known. */
	readonly energies?: readonly number[];
}

/** Metres a pixel, and where the middle of the first one lies in x and in y. */
export function placeOf({ nx, ny, pixel }: Field): {
	step: number;
	x: number;
	y: number;
} {
	const step = pixel * 1e-10;
	return { step, x: (-(nx - 1) / 2) * step, y: (-(ny - 1) / 2) * step };
}

/** One array of all images, energy by energy: y by y from the bottom, or from the top, with x fastest. */
export function rowsOf(
	{ nx, ny, images }: Field,
	from: "bottom" | "top",
): Float32Array {
	const rows = new Float32Array(images.length * nx * ny);
	let at = 0;
	for (const image of images)
		for (let row = 0; row < ny; row++)
			for (let ix = 0; ix < nx; ix++)
				rows[at++] = image[ix * ny + (from === "top" ? ny - 1 - row : row)];
	return rows;
}

/** Bytes one behind the other. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
	const bytes = new Uint8Array(parts.reduce((sum, p) => sum + p.length, 0));
	let at = 0;
	for (const part of parts) {
		bytes.set(part, at);
		at += part.length;
	}
	return bytes;
}

/** Little-endian bytes of numbers. */
export function bytesOfNumbers(
	type: "u2" | "i2" | "u4" | "i4" | "f4" | "f8",
	values: ArrayLike<number>,
): Uint8Array {
	const step = Number(type[1]);
	const view = new DataView(new ArrayBuffer(step * values.length));
	for (let i = 0; i < values.length; i++) {
		const at = step * i;
		if (type === "f8") view.setFloat64(at, values[i], true);
		else if (type === "f4") view.setFloat32(at, values[i], true);
		else if (step === 4) view.setInt32(at, values[i], true);
		else view.setInt16(at, values[i], true);
	}
	return new Uint8Array(view.buffer);
}

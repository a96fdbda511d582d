export type Shape = readonly number[];

export function show(shape: Shape): string {
	return `[${shape.join(", ")}]`;
}

export function sizeOf(shape: Shape): number {
	let size = 1;
	for (const n of shape) size *= n;
	return size;
}

export function sameShape(a: Shape, b: Shape): boolean {
	return a.length === b.length && a.every((n, i) => n === b[i]);
}

/** Up to three of the names that differ least from a misspelt one, the nearest first. */
export function nearest(name: string, names: Iterable<string>): string[] {
	return [...names]
		.map((other) => ({ other, edits: distance(name, other) }))
		.sort((a, b) => a.edits - b.edits)
		.slice(0, 3)
		.map(({ other }) => other);
}

/** Letters to be put in, left out or changed (Levenshtein 1966); those of the other case count as half. */
function distance(a: string, b: string): number {
	let row = Array.from({ length: b.length + 1 }, (_, j) => j);
	for (let i = 1; i <= a.length; i++) {
		const next = [i];
		for (let j = 1; j <= b.length; j++)
			next.push(
				Math.min(
					row[j] + 1,
					next[j - 1] + 1,
					row[j - 1] + change(a[i - 1], b[j - 1]),
				),
			);
		row = next;
	}
	return row[b.length];
}

const change = (a: string, b: string) => {
	if (a === b) return 0;
	return a.toLowerCase() === b.toLowerCase() ? 0.5 : 1;
};

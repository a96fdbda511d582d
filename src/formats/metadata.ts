/** What of a header's many lines `info` shows: what one looks for when a map is read. */

/** In this order. */
const SHOWN: readonly (readonly [label: string, names: RegExp])[] = [
	["bias", /\bbias\b|biasvolt|sample.?volt/i],
	["setpoint", /set.?point|current.?set|fb.?log.?iset/i],
	["modulation", /modulation|lock.?in|lockin/i],
	["angle", /angle|rotation/i],
	["time", /\b(date|time)\b|timestamp|rec.?date|rec.?time|start.?time/i],
	["temperature", /temperature|\btemp\b/i],
	["comment", /comment|\bmemo\b|\buser.?text/i],
	["title", /^title$|sample.?name/i],
];
const MOST_LINES = 24;
const MOST_OF_A_KIND = 6;

/** Of [name, value] those that say under what a map was measured, under their own names, sorted by kind; at most 24. */
export function worthShowing(
	entries: Iterable<readonly [string, string]>,
): [string, string][] {
	const found = SHOWN.map((): [string, string][] => []);
	const seen = new Set<string>();
	for (const [name, value] of entries) {
		const plain = name.replaceAll(/[_/>]+/g, " ");
		const text = value.replaceAll(/\s+/g, " ").trim();
		const kind = SHOWN.findIndex(([, names]) => names.test(plain));
		const line = `${name.trim()}\0${text}`;
		if (kind < 0 || text === "" || seen.has(line)) continue;
		seen.add(line);
		if (found[kind].length < MOST_OF_A_KIND)
			found[kind].push([name.trim(), text]);
	}
	return found.flat().slice(0, MOST_LINES);
}

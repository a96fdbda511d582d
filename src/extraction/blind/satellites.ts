/** Marks of one kind that stand beside those of another, always at the same offset: they mend the other kind's kernel and are no scatterers. */
import { completed } from "./complete.ts";
import type { Searched } from "./first.ts";
import type { Report } from "./kinds.ts";
import { judged, type State } from "./state.ts";

type Sites = State["map"]["sites"];

/** Pixels that an offset may vary by. */
const SAME = 1.5;
/** Angstrom: the offsets that are looked at. */
const REACH = 60;
/** Share of a kind's marks that have such a companion, how many at least, and times the number that chance would give. */
const SHARE = 0.5;
const FEW = 4;
const CHANCE = 4;
/** What the judge's score may lose: a kernel that takes them in needs fewer numbers than they do. */
const LOSS = 0.005;

/** Without such marks, where the judge does not miss them. */
export async function withoutSatellites(
	searched: Searched,
	state: State,
	report: Report,
): Promise<State> {
	const { size, signed, white } = searched;
	const { map } = state;
	const companions = companionsOf(map);
	if (companions.size === 0) return state;
	const sites = map.sites.filter((site) => !companions.has(site));
	const done = await completed({ ...map, sites }, size, signed, {
		...{ white, sure: true },
		report: (marks) => report("companions", undefined, marks),
	});
	const counts = Array.from(
		{ length: map.kinds },
		(_, k) => done.map.sites.filter(({ kind }) => kind === k).length,
	);
	if (counts.some((n) => n < FEW)) return state;
	const next = await judged(done, size);
	return next.judgement.score >= state.judgement.score - LOSS ? next : state;
}

/** The marks that stand at an offset from marks of another kind that most of those have a companion at; of two kinds that accompany each other, the weaker ones. */
export function companionsOf({
	sites,
	kinds,
	nx,
	ny,
	pixel,
}: Pick<State["map"], "sites" | "kinds" | "nx" | "ny" | "pixel">): Set<
	Sites[number]
> {
	const found = new Set<Sites[number]>();
	for (let host = 0; host < kinds; host++)
		for (let kind = 0; kind < kinds; kind++) {
			if (kind === host) continue;
			const hosts = sites.filter((s) => s.kind === host && !found.has(s));
			const others = sites.filter((s) => s.kind === kind && !found.has(s));
			const group = commonOffset(hosts, others, REACH / pixel);
			const chance =
				(hosts.length * others.length * Math.PI * SAME ** 2) / (nx * ny);
			if (group.length < Math.max(FEW, SHARE * hosts.length, CHANCE * chance))
				continue;
			// Where both have the same number, each accompanies the other: the larger amplitudes are the scatterers'.
			const rest = others.filter((s) => !group.includes(s));
			if (rest.length > 0 && weightOf(group) > weightOf(rest)) continue;
			if (rest.length < FEW) continue;
			for (const site of group) found.add(site);
		}
	return found;
}

/** Those of `others` that stand at the offset from `hosts` that most share, one for each host. */
function commonOffset(hosts: Sites, others: Sites, reach: number): Sites {
	const pairs = hosts.flatMap((h) =>
		others.flatMap((site) => {
			const [dx, dy] = [site.x - h.x, site.y - h.y];
			return Math.hypot(dx, dy) <= reach ? [{ h, site, dx, dy }] : [];
		}),
	);
	let best: typeof pairs = [];
	for (const { dx, dy } of pairs) {
		const near = pairs.filter((p) => Math.hypot(p.dx - dx, p.dy - dy) <= SAME);
		if (near.length > best.length) best = near;
	}
	return [...new Map(best.map(({ h, site }) => [h, site])).values()];
}

function weightOf(sites: Sites): number {
	const sorted = sites
		.map(({ weight }) => Math.abs(weight))
		.sort((a, b) => a - b);
	return sorted[sorted.length >> 1] ?? 0;
}

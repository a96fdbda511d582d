/** Step edges and background, which hang together: a staircase looks like a tilt, and a tilt hides a step. */
import {
	type Background,
	fitBackground,
	type Order,
	removeBackground,
} from "./background.ts";
import { findSteps } from "./edges.ts";
import { coarsen } from "./polynomials.ts";
import { median, type Scan } from "./scan.ts";
import { alignSteps } from "./terraces.ts";
import { num, percent } from "./told.ts";

/** Blocks a side of the coarse scan that both are found on. */
const BLOCKS = 128;
/** What `flatten` says of the background's order. */
const ORDERS = { auto: "auto", none: 0, plane: 1, line: 1 } as const;

/**
 * Takes away background and steps.
 * @param counts 0 where a pixel does not count
 * @returns the order of the polynomial, pixels on or near step edges (undefined where there are none), and each step as people see it
 */
export function levelled(
	scan: Scan,
	counts: Float32Array,
	options: {
		readonly flatten?: keyof typeof ORDERS;
		readonly background?: Order | "auto";
		readonly stepEdges?: boolean;
	},
): {
	order: number;
	edges: Uint8Array | undefined;
	steps: { name: string; note: string; scan: Scan }[];
} {
	const { flatten = "auto", stepEdges = true } = options;
	const wanted = options.background ?? ORDERS[flatten];
	const middle = median(scan.image.filter((_, p) => counts[p] > 0));
	const coarse = coarsen(scan, counts, middle, BLOCKS);
	const found = stepEdges ? findSteps(coarse) : undefined;
	const background = fitBackground(coarse, wanted, found);
	const aligned = found && alignSteps(scan, coarse, found, background);
	const current = aligned?.scan ?? scan;
	const steps = [];
	if (stepEdges)
		steps.push({
			name: "steps",
			note: aligned?.note ?? "no step edge found",
			scan: current,
		});
	if (wanted !== 0 || flatten !== "none")
		steps.push({
			name: "background",
			note: told(background, wanted),
			scan: removeBackground(current, background),
		});
	return { order: background.order, edges: aligned?.area, steps };
}

function told(
	{ order, share, evidence }: Background,
	wanted: Order | "auto",
): string {
	const seen = evidence.map((e) => num(e.excess)).join(", ");
	const by =
		wanted === "auto"
			? ` by evidence: orders 1 to 4 hold ${seen} times what ripples put into them`
			: "";
	return order > 0
		? `polynomial of order ${order} removed, ${percent(share)} of the robust variance${by}`
		: `none removed${by}`;
}

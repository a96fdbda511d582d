/** The few numbers that a kernel is extracted for, in one line. */
import { typeset } from "../../../text.ts";
import type { ShownItem } from "../worker/extractTypes.ts";

/** @param item with findings of all that belongs to it; of a band its finding names m* and E0, and a failure is one */
export function headlineOf({
	q,
	findings,
}: Pick<ShownItem, "q" | "findings">): string {
	const bands = findings.flatMap((line) => {
		const [, of, numbers] =
			/^dispersion( of kind \d+)?: (m\* = .*? meV)/.exec(line) ?? [];
		return numbers ? [numbers.concat(of ?? "")] : [];
	});
	const failed = findings.find((line) => line.startsWith("extraction failed"));
	if (failed) return typeset(failed.split(";")[0]);
	const star = q
		? `q* = ${q.q.toFixed(4)} ± ${q.error.toFixed(4)} 1/Å`
		: "no q* stands out";
	return typeset([star, ...bands].join(" · "));
}

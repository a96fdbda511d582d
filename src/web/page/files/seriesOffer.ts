/** Which of the files that are open can be one series. No DOM. */
import type { SeriesSeat } from "../worker/extractTypes.ts";

/** A file that is open, and what a series would ask of it. */
export interface Candidate {
	readonly id: string;
	readonly name: string;
	readonly seat?: SeriesSeat;
}

export interface SeriesOffer<C extends Candidate> {
	/** By their energies. */
	readonly files: readonly C[];
	/** What is offered, for people. */
	readonly told: string;
	/** On the button. */
	readonly label: string;
}

/** Reasons that are told; of the rest how many they are. */
const MOST_REASONS = 4;

/** The files of the shown one's size that have a bias each; null where their biases are fewer than two. */
export function offerOf<C extends Candidate>(
	open: readonly C[],
	shown: string | undefined,
): SeriesOffer<C> | null {
	const here = open.find(({ id }) => id === shown)?.seat;
	if (here?.energy === undefined) return null;
	const belongs = ({ seat }: C) =>
		seat?.energy !== undefined && seat.sides === here.sides;
	const files = open.filter(belongs).sort((a, b) => energyOf(a) - energyOf(b));
	const energies = new Set(files.map(energyOf)).size;
	if (energies < 2) return null;
	const others = open.filter((each) => !belongs(each) && each.seat);
	const n = files.length;
	return {
		files,
		told: [
			`${n} open files are of one size, with a bias each: ${mV(energyOf(files[0]))} to ${mV(energyOf(files[n - 1]))} mV.`,
			...(energies < n ? [`Only ${energies} of the biases differ.`] : []),
			...notOf(others),
		].join("\n"),
		label: `Take them as one series of ${n} energies`,
	};
}

/** Why files that were chosen together are no series, for people; null where they can be one. */
export function noSeries(
	together: readonly Candidate[],
	offered: boolean,
): string | null {
	if (together.length < 2 || offered) return null;
	const reasons = [
		...new Set(together.flatMap(({ seat }) => (seat?.why ? [seat.why] : []))),
	];
	return [
		`${together.length} files are open side by side.`,
		reasons.length > 0
			? `They are no series: ${reasons[0]}${reasons.length > 1 ? `; and ${reasons.length - 1} more` : ""}.`
			: "They are no series, which has files of one size and a bias each.",
	].join(" ");
}

const energyOf = ({ seat }: Candidate): number => seat?.energy ?? Number.NaN;

const sidesIn = (sides = ""): string =>
	sides.replaceAll(" x ", " × ").replace(/ A$/, " Å");

export const mV = (energy: number): string =>
	String(Number((energy * 1000).toPrecision(4))).replace("-", "−");

function notOf(others: readonly Candidate[]): string[] {
	if (others.length === 0) return [];
	const said = others
		.slice(0, MOST_REASONS)
		.map(({ name, seat }) => seat?.why ?? `${name}: ${sidesIn(seat?.sides)}`);
	const rest = others.length - said.length;
	return [
		`Not among them: ${said.join("; ")}${rest > 0 ? `; and ${rest} more` : ""}.`,
	];
}

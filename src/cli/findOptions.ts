/** The options that say what is known of scatterers that are looked for: `detect` and `extract` share them. */
import { type Command, InvalidArgumentError } from "commander";
import type { BlindTurn, SeedWindow } from "../extraction/blind/blind.ts";
import { seedWindowOf } from "../extraction/results/analysisText.ts";
import type { FindOptions } from "../extraction/results/findScatterers.ts";
import { startProgress } from "../node/files/progress.ts";

/** What `findOptions` adds. */
export interface FindChoice {
	kinds?: number;
	signed?: boolean;
	seedWindow?: readonly SeedWindow[];
}

const MOST_KINDS = 5;

function kinds(text: string): number {
	const n = Number(text);
	if (!/^\d$/.test(text) || n < 1 || n > MOST_KINDS)
		throw new InvalidArgumentError(
			`Expected a whole number from 1 to ${MOST_KINDS}.`,
		);
	return n;
}

function seedWindow(
	text: string,
	before: readonly SeedWindow[] = [],
): readonly SeedWindow[] {
	try {
		return [...before, seedWindowOf(text)];
	} catch (error) {
		throw new InvalidArgumentError((error as Error).message);
	}
}

/** Adds the options that say what is known of the scatterers. */
export function findOptions(command: Command): Command {
	return command
		.option(
			"--kinds <n>",
			`kinds of scatterers that are looked for, 1 to ${MOST_KINDS} (default: found)`,
			kinds,
		)
		.option(
			"--signed",
			"amplitudes of one kind may have either sign (default: the same)",
		)
		.option(
			"--seed-window <x,y,size>",
			"a square that shows one scatterer of a kind, in Angstrom from the image's centre, to start from; once for each kind (default: found)",
			seedWindow,
		);
}

/** What the program calls them. */
export const findChoice = ({
	kinds,
	signed,
	seedWindow: seeds,
}: FindChoice): FindOptions => ({ kinds, signed, seeds });

/** A progress bar of the search. */
export function findProgress(): {
	onTurn(turn: BlindTurn): void;
	stop(): void;
} {
	let bar: ReturnType<typeof startProgress> | undefined;
	return {
		onTurn({ done, total, what }) {
			bar ??= startProgress("looking for scatterers", total, { unit: "parts" });
			bar.update(done, { what });
		},
		stop: () => bar?.stop(),
	};
}

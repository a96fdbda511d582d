import { availableParallelism } from "node:os";

/** Says how many worker threads a program may have: on a node that it shares, or beside others of its kind. */
export const THREADS = "QPI_LENS_THREADS";

/** As many as the machine runs at once, or as the environment says. @throws RangeError where that is no count */
export function threadCount(): number {
	const given = process.env[THREADS];
	if (!given) return availableParallelism();
	const count = Number(given);
	if (!(Number.isInteger(count) && count >= 1 && count <= 1024))
		throw new RangeError(
			`${THREADS} is ${JSON.stringify(given)}, expected a whole number from 1 to 1024`,
		);
	return count;
}

/** A lattice as the command line says it. */
import { InvalidArgumentError } from "commander";

/** "3.9,3.9,90": two sides in Angstrom and the angle between them in degrees. */
export function lattice(text: string): { a: number; b: number; angle: number } {
	const numbers = text
		.split(",")
		.map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
	const [a, b, angle] = numbers;
	const fits =
		a > 0.5 && b > 0.5 && a < 1e4 && b < 1e4 && angle > 10 && angle < 170;
	if (numbers.length !== 3 || !fits)
		throw new InvalidArgumentError(
			"Expected two sides in Angstrom and the angle between them in degrees: a,b,angle.",
		);
	return { a, b, angle };
}

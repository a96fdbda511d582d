/** Numbers as the notes of the preprocessing have them. */

export const num = (value: number) => String(Number(value.toPrecision(3)));

export const percent = (share: number) =>
	share > 0 && share < 1e-4 ? "less than 0.01 %" : `${num(100 * share)} %`;

export const count = (n: number, what: string) =>
	`${n} ${what}${n === 1 ? "" : "s"}`;

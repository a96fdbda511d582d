import type { Picture } from "../../drawing/picture.ts";

/** A picture of the results, and what is said about it. */
export type Drawn = [
	name: string,
	title: string,
	caption: string,
	picture: Picture,
];

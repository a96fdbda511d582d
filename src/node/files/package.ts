import { readFileSync } from "node:fs";

/** This package's version: two folders up from here both in the sources and in what is published. */
export const VERSION: string = JSON.parse(
	readFileSync(new URL("../../../package.json", import.meta.url), "utf8"),
).version;

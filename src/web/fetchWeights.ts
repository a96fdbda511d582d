/** Weights from a web server. */
import { Weights } from "../models/trained/weights.ts";
import type { Report } from "./rpc.ts";

/** Where they are beside our own page. */
export const WEIGHTS = "weights";
/** Where they are in the package, from its bundles in dist/browser/. */
const SHIPPED = "../../data/weights";

/**
 * Opens the weights at an address (from the page, unless it is a whole one), by default those of the package that this module is served from. Each file is
 * downloaded when it is first needed, checked against the manifest, and kept. Rejects with the address of what is not there.
 */
export function openWeights(
	place: string | URL = new URL(SHIPPED, import.meta.url),
	report: Report = () => {},
): Promise<Weights> {
	const folder = String(place).replace(/\/$/, "");
	const kept = new Map<string, Promise<Uint8Array<ArrayBuffer>>>();
	return Weights.open(folder, (name) => {
		const found = kept.get(name) ?? download(`${folder}/${name}`, report);
		kept.set(name, found);
		found.catch(() => kept.delete(name));
		return found;
	});
}

/** Throws an Error with the address where it is not there. */
export async function download(
	url: string,
	report: Report,
): Promise<Uint8Array<ArrayBuffer>> {
	const response = await fetch(url).catch((error: Error) => {
		throw new Error(
			`${url} cannot be fetched; is the server there? (${error.message})`,
		);
	});
	if (!response.ok || !response.body)
		throw new Error(`${url}: found ${response.status}, expected a file`);
	const total = Number(response.headers.get("content-length") ?? 0);
	const parts: Uint8Array<ArrayBuffer>[] = [];
	let done = 0;
	const reader = response.body.getReader(); // not every Safari can iterate over the stream itself
	for (;;) {
		const { value } = await reader.read();
		if (!value) return new Uint8Array(await new Blob(parts).arrayBuffer());
		parts.push(value);
		done += value.length;
		report({ done, total, what: `downloading ${url}` });
	}
}

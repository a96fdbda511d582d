/** The weights that lie beside the page. */
import { Weights } from "../extraction/weights.ts";
import type { Report } from "./rpc.ts";

/** Where they are, from the page. */
export const WEIGHTS = "weights";

/** Opens them; each file is downloaded when it is first needed, and kept. */
export function openWeights(report: Report): Promise<Weights> {
	const kept = new Map<string, Promise<Uint8Array<ArrayBuffer>>>();
	return Weights.open(WEIGHTS, (name) => {
		const found = kept.get(name) ?? download(`${WEIGHTS}/${name}`, report);
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
	const response = await fetch(url);
	if (!response.ok || !response.body)
		throw new Error(`${url}: found ${response.status}, expected a file`);
	const total = Number(response.headers.get("content-length") ?? 0);
	const parts: Uint8Array<ArrayBuffer>[] = [];
	let done = 0;
	for await (const part of response.body) {
		parts.push(part);
		done += part.length;
		report({ done, total, what: `downloading ${url}` });
	}
	return new Uint8Array(await new Blob(parts).arrayBuffer());
}

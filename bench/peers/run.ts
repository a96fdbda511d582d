/** One library, in a process of its own: `node run.ts LIBRARY ADAPTER WORK...` prints a line of JSON for each piece of work. */
import { readFileSync } from "node:fs";
import { adapterNameOf } from "../../src/engine/device/adapterInfo.ts";
import { openAdapter, openGpu } from "../../src/node/device/adapter.ts";
import { VERSION } from "../../src/node/files/package.ts";
import { time, type Work } from "./work.ts";

const [library, wanted, ...works] = process.argv.slice(2);
const print = (line: object) => console.log(JSON.stringify(line));

async function open(): Promise<{
	adapter: string;
	version: string;
	work: Record<string, Work>;
}> {
	if (library === "ours") {
		// Defaults, whatever was measured on this machine before.
		const gpu = await openGpu({ adapter: wanted, tune: false });
		const { start } = await import("./ours.ts");
		return { adapter: gpu.adapterName, version: VERSION, work: start(gpu) };
	}
	const adapter = await openAdapter(wanted || undefined);
	// What a page would have.
	Object.defineProperty(globalThis, "navigator", {
		value: {
			gpu: {
				requestAdapter: async () => adapter,
				wgslLanguageFeatures: new Set(),
			},
			userAgent: "Chrome",
			hardwareConcurrency: 2,
		},
	});
	const { start, packages } = await import(`./${library}.js`);
	const file = new URL(
		`node_modules/${packages[0]}/package.json`,
		import.meta.url,
	);
	const { version } = JSON.parse(readFileSync(file, "utf8"));
	return { adapter: adapterNameOf(adapter.info), version, work: await start() };
}

const { work, ...rest } = await open();
print(rest);
for (const name of works) {
	try {
		print({ work: name, ...(await time(work[name])) });
	} catch (error) {
		print({ work: name, error: String(error) });
	}
}
process.exit(0); // the peers have no end of their own

/** What our readers say of files, for compareReaders.py: node test/goldens/readOut.ts FILE... writes one JSON object a line. */
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { energiesOf } from "../../src/formats/measurement.ts";
import { openMeasurement } from "../../src/formats/readMeasurement.ts";

for (const file of process.argv.slice(2)) {
	const bytes = new Uint8Array(readFileSync(file));
	const m = await openMeasurement(bytes, basename(file));
	const channels = m.channels.map((channel) => ({
		...{ name: channel.name, unit: channel.unit },
		energies: energiesOf(m, channel),
		images: channel.images.map((image) =>
			Buffer.from(image.buffer, image.byteOffset, image.byteLength).toString(
				"base64",
			),
		),
	}));
	const { format, nx, ny, spacing } = m;
	console.log(JSON.stringify({ file, format, nx, ny, spacing, channels }));
}

/** The package `qpi-lens-web`: bundles for pages, their types and the weights, and nothing to install besides. */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Folders of `dist/` with types that the entries for browsers refer to. */
const TYPES = /^(api|engine|extraction|formats|models|qpi|training|web)$/;

/** Makes the folder that `npm publish` takes out of `dist/`, which must be whole. */
export function makeWebPackage(root: string, out: string): void {
	const { version } = JSON.parse(
		readFileSync(join(root, "package.json"), "utf8"),
	);
	mkdirSync(out, { recursive: true });
	const ours = join(root, "src/web/package");
	const described = JSON.parse(
		readFileSync(join(ours, "package.json"), "utf8"),
	);
	writeFileSync(
		join(out, "package.json"),
		`${JSON.stringify({ ...described, version }, null, "\t")}\n`,
	);
	cpSync(join(ours, "README.md"), join(out, "README.md"));
	cpSync(join(root, "LICENSE"), join(out, "LICENSE"));
	cpSync(join(root, "dist/browser"), join(out, "dist/browser"), {
		recursive: true,
	});
	// Where openWeights() looks for them: beside dist/.
	cpSync(join(root, "data/weights"), join(out, "data/weights"), {
		recursive: true,
	});
	cpSync(join(root, "dist"), join(out, "dist"), {
		recursive: true,
		filter: (from) => {
			const [top, ...below] = from
				.slice(join(root, "dist").length)
				.split("/")
				.slice(1);
			if (top === undefined) return true;
			if (below.length === 0) return TYPES.test(top) || top.endsWith(".d.ts");
			return (
				TYPES.test(top) && (!/\.[jt]s$/.test(from) || from.endsWith(".d.ts"))
			);
		},
	});
}

/** `npm run examples`: serves the package as it is built, and the pages that embed it, to this machine. */
import { fileURLToPath } from "node:url";
import { serve } from "../node/files/serve.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const { url } = await serve({
	"/dist/": `${root}dist`,
	"/data/": `${root}data`,
	"/examples/": `${root}src/web/examples`,
});
for (const name of ["vae", "digits", "ownOp"])
	console.log(`open ${url}examples/${name}.html`);
console.log("Ctrl-C ends");

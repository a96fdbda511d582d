/** Reports as single pages that hold everything and ask the network for nothing. */
import { visibleLines } from "../text.ts";

/** Text made safe for HTML, between tags and in quoted attributes. */
export function escapeHtml(value: string | number): string {
	const names: Record<string, string> = {
		"&": "&amp;",
		"<": "&lt;",
		">": "&gt;",
		'"': "&quot;",
		"'": "&#39;",
	};
	return visibleLines(String(value)).replace(/[&<>"']/g, (c) => names[c]);
}

export function base64(bytes: Uint8Array): string {
	let binary = "";
	for (let at = 0; at < bytes.length; at += 0x8000)
		binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
	return btoa(binary);
}

const CSS = `
:root { color-scheme: light dark; --ground: #fff; --ink: #1a1a1a; --faint: #5c5c5c; --line: #d5d5d5; --shade: #f4f5f7 }
@media (prefers-color-scheme: dark) { :root { --ground: #16181c; --ink: #e8e8e8; --faint: #a8a8a8; --line: #3a3d44; --shade: #22252b } }
* { box-sizing: border-box }
body { margin: 0 auto; padding: 1.5rem 1rem 3rem; max-width: 78rem; background: var(--ground); color: var(--ink); font: 1rem/1.5 system-ui, "DejaVu Sans", sans-serif }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 1rem } h2 { font-size: 1.2rem; margin: 2.2rem 0 .6rem }
p, ul, dl, figcaption, caption { max-width: 46rem } figcaption, .faint { color: var(--faint); font-size: .92rem } figure { margin: 0 } figcaption { margin-top: .5rem }
.wide { overflow-x: auto } .tables { display: flex; flex-wrap: wrap; gap: 0 3.5rem } img { display: block; max-width: 100%; height: auto; background: #fff; border-radius: 4px } .losses, .curves { min-width: 36rem } .comparison, .kernels, .latents { min-width: 44rem }
table { border-collapse: collapse; margin: .6rem 0 1.2rem; font-variant-numeric: tabular-nums } caption { text-align: left; padding-bottom: .3rem }
th, td { padding: .25rem .7rem .25rem 0; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap } th:first-child { text-align: left } th { font-weight: 500 } thead th { color: var(--faint) } strong { font-weight: 700 }
.run td { text-align: left; white-space: normal; overflow-wrap: anywhere } .run th { padding-right: 1.5rem; vertical-align: top }
pre { overflow-x: auto; padding: .8rem 1rem; background: var(--shade); border-radius: 4px } dt { font-weight: 600 } dd { margin: 0 0 .4rem }
.figures { display: flex; flex-wrap: wrap; gap: 0 2rem } .figures section { flex: 0 1 36rem; min-width: 0 } .figures .row { flex: 1 0 100%; max-width: 100% }
@media (max-width: 40rem) { th, td { padding-right: .45rem; font-size: .85rem } table:not(.run) th[scope=row] { white-space: normal } }
`;

/** A page with a heading and a sentence below it; `main` is HTML, the rest is escaped. */
export function page(title: string, lead: string, main: string): string {
	return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>${escapeHtml(title)}</title>
<style>${CSS}</style>
</head>
<body>
<header><h1>${escapeHtml(title)}</h1>
<p>${escapeHtml(lead)}</p>
</header>
<main>
${main}
</main>
</body>
</html>
`;
}

/** The page: tabs, colours, and what is to be said where there is no WebGPU. */
import { WHERE } from "../gpu.ts";
import { byId } from "./basics/dom.ts";
import { startExtract } from "./extract.ts";
import { startTrain } from "./training/train.ts";

const TABS = ["extract", "train"];

function chooseTab(name: string): void {
	for (const each of TABS) {
		const tab = byId(`tab-${each}`);
		tab.ariaSelected = String(each === name);
		tab.tabIndex = each === name ? 0 : -1;
		byId(each).hidden = each !== name;
	}
	// Its worker looks for a run that is kept: not before somebody wants to see it.
	if (name === "train") startTrain();
}

function startTabs(): void {
	for (const [i, name] of TABS.entries()) {
		const tab = byId(`tab-${name}`);
		tab.addEventListener("click", () => goTo(name));
		tab.addEventListener("keydown", ({ key }) => {
			if (key !== "ArrowLeft" && key !== "ArrowRight") return;
			const next =
				TABS[(i + (key === "ArrowRight" ? 1 : TABS.length - 1)) % TABS.length];
			goTo(next);
			byId(`tab-${next}`).focus();
		});
	}
	// Back and forward, and an address that was kept.
	addEventListener("popstate", () => chooseTab(addressed()));
	chooseTab(addressed());
}

/** The tab that the address names, else the first. */
const addressed = () =>
	TABS.find((name) => location.hash === `#${name}`) ?? TABS[0];

function goTo(name: string): void {
	if (name !== addressed()) history.pushState(null, "", `#${name}`);
	chooseTab(name);
}

/** Panels of controls and the longer parts of the results: closed where there is one column, and opened for a field that has to be corrected. */
function startPanels(): void {
	const [, ...panels] = document.querySelectorAll<HTMLDetailsElement>(
		"#extract :is(.panel, .part)",
	);
	const narrow = matchMedia("(max-width: 860px)");
	/** Those that were closed for want of room. */
	let closed: HTMLDetailsElement[] = [];
	const fold = () => {
		const shut = narrow.matches ? panels.filter(({ open }) => open) : [];
		for (const panel of closed) panel.open = true;
		for (const panel of shut) panel.open = false;
		closed = shut;
	};
	narrow.addEventListener("change", fold);
	fold();
	document.addEventListener(
		"invalid",
		({ target }) => {
			const panel = (target as HTMLElement).closest("details");
			if (panel) panel.open = true;
		},
		{ capture: true },
	);
}

/** Light, dark, or as the system; remembered where the browser lets it. */
function startTheme(): void {
	const choice = byId<HTMLSelectElement>("theme");
	const apply = () => {
		if (choice.value) document.documentElement.dataset.theme = choice.value;
		else delete document.documentElement.dataset.theme;
		// Canvases take their colours from the style sheet when they are drawn.
		dispatchEvent(new Event("themechange"));
	};
	choice.value = stored("theme") ?? "";
	choice.addEventListener("change", () => {
		stored("theme", choice.value);
		apply();
	});
	matchMedia("(prefers-color-scheme: dark)").addEventListener("change", apply);
	apply();
}

function stored(key: string, value?: string): string | null {
	try {
		if (value !== undefined) localStorage.setItem(key, value);
		return localStorage.getItem(key);
	} catch {
		return null; // no storage allowed: nothing is remembered
	}
}

async function lookForWebGpu(): Promise<void> {
	const adapter = await navigator.gpu?.requestAdapter().catch(() => null);
	if (adapter) return;
	const notice = byId("no-webgpu");
	notice.textContent = `${navigator.gpu ? "This browser has WebGPU, but no graphics adapter for it" : "This browser has no WebGPU"}. ${WHERE}. Without it the methods refined and ridge work all the same; the networks are left out, and nothing can be trained.`;
	notice.hidden = false;
}

startTheme();
startPanels();
if (isSecureContext) {
	startTabs();
	startExtract();
	void lookForWebGpu();
} else {
	// Neither checksums nor locks nor WebGPU are there.
	byId("insecure").hidden = false;
	byId("extract").hidden = true;
}

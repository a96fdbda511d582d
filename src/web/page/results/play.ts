/** Plays through the energies of a stack. */
import { byId, input } from "../basics/dom.ts";

/** Of one energy, milliseconds. */
const EVERY = 400;

export function startPlay(): void {
	const button = byId("play");
	let timer: ReturnType<typeof setInterval> | undefined;
	const stop = () => {
		clearInterval(timer);
		timer = undefined;
		button.ariaPressed = "false";
	};
	button.addEventListener("click", () => {
		if (timer) return stop();
		button.ariaPressed = "true";
		timer = setInterval(() => {
			const slider = input("energy");
			if (byId("energy-row").hidden) return stop();
			const count = Number(slider.max) + 1;
			slider.value = String((slider.valueAsNumber + 1) % count);
			slider.dispatchEvent(new Event("input", { bubbles: true }));
		}, EVERY);
	});
}

/** Which weights extraction takes: those that came with the page, or those that were trained in it. */
import {
	type TrainedWeights,
	trainedWeights,
} from "../../training/trainedWeights.ts";
import { byId, make, select } from "../basics/dom.ts";

/** Dispatched when a run has been finished or discarded. */
export const TRAINED = "trainedchange";

let found: TrainedWeights | undefined;

/** Those that were trained here, where they are chosen. */
export const chosenWeights = () =>
	found && select("weights").value === found.stamp
		? { stamp: found.stamp, folder: found.folder }
		: undefined;

/** Offers what there is, now and whenever that changes. Resolves when the choice can be made. @param changed when another is chosen by the page */
export async function offerWeights(changed: () => void): Promise<void> {
	const choice = select("weights");
	const tell = () => {
		byId("weights-about").textContent =
			choice.value && found ? found.summary : "";
	};
	const offer = async () => {
		// A browser that keeps nothing has nothing that was trained.
		found = await trainedWeights().catch(() => undefined);
		const before = choice.value;
		const date = found?.finished?.toLocaleDateString([], {
			...({ year: "numeric", month: "short", day: "numeric" } as const),
		});
		choice.replaceChildren(
			make("option", { value: "" }, "shipped"),
			...(found
				? [
						make(
							"option",
							{ value: found.stamp },
							`trained here${date ? ` on ${date}` : ""}`,
						),
					]
				: []),
		);
		choice.value = found?.stamp === before ? before : "";
		byId("weights-label").hidden = !found;
		tell();
		if (choice.value !== before) changed();
	};
	choice.addEventListener("change", tell);
	addEventListener(TRAINED, () => void offer());
	await offer();
}

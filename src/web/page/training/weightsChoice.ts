/** Which weights extraction takes: those that came with the page, those that were trained in it, or those of the session that is open. */
import {
	type TrainedWeights,
	trainedWeights,
} from "../../training/trainedWeights.ts";
import { byId, make, select } from "../basics/dom.ts";
import type { PackedWeights } from "../basics/source.ts";

/** Dispatched when a run has been finished or discarded. */
export const TRAINED = "trainedchange";

let trained: TrainedWeights | undefined;
let packed: PackedWeights | undefined;

const own = () => [trained, packed].filter((each) => each !== undefined);
const chosen = () =>
	own().find(({ stamp }) => stamp === select("weights").value);

/** Those that are chosen, where they are not the shipped ones. */
export function chosenWeights() {
	const found = chosen();
	return found && { stamp: found.stamp, folder: found.folder };
}

function tell(): void {
	byId("weights-about").textContent = chosen()?.summary ?? "";
}

/** Shows what there is. @returns whether another is chosen now, since the one before is gone */
export function showWeights(): boolean {
	const choice = select("weights");
	const before = choice.value;
	const date = trained?.finished?.toLocaleDateString([], {
		...({ year: "numeric", month: "short", day: "numeric" } as const),
	});
	choice.replaceChildren(
		make("option", { value: "" }, "shipped"),
		...own().map(({ stamp }) =>
			make(
				"option",
				{ value: stamp },
				stamp === packed?.stamp
					? "of the session"
					: `trained here${date ? ` on ${date}` : ""}`,
			),
		),
	);
	choice.value = before;
	if (!chosen()) choice.value = "";
	byId("weights-label").hidden = own().length === 0;
	tell();
	return choice.value !== before;
}

/** Those of the file that is opened. */
export function offerPacked(weights: PackedWeights | undefined): void {
	packed = weights;
	showWeights();
}

/** Offers what there is, now and whenever that changes. Resolves when the choice can be made. @param changed when another is chosen by the page */
export async function offerWeights(changed: () => void): Promise<void> {
	const offer = async () => {
		// A browser that keeps nothing has nothing that was trained.
		trained = await trainedWeights().catch(() => undefined);
		if (showWeights()) changed();
	};
	select("weights").addEventListener("change", tell);
	addEventListener(TRAINED, () => void offer());
	await offer();
}

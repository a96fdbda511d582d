/** Draws charts beside the page's thread: the first takes longer than a page may stand still. */
import { type LossPanel, lossCurves } from "../../../training/report/charts.ts";
import { render } from "../../render.ts";
import { answer } from "../../rpc.ts";

const handlers = {
	/** PNG of one panel of loss curves. */
	losses: async (panel: LossPanel): Promise<Blob> =>
		new Blob([await render(lossCurves([panel]))], { type: "image/png" }),
};

export type ChartHandlers = typeof handlers;
answer(handlers);

/** Prepares one image at a time, beside others of its kind. */
import { preprocess } from "../../../extraction/preprocess.ts";
import { answer } from "../../rpc.ts";

const handlers = {
	preprocess: ([scan, options]: Parameters<typeof preprocess>) =>
		preprocess(scan, options),
};

export type PrepareHandlers = typeof handlers;
answer(handlers);

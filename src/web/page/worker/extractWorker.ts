/** The worker of the page's extraction: reads the file, prepares, detects, extracts and makes the files of results, as the command line does. */
import { answer } from "../../rpc.ts";
import { imageCalls } from "./imageCalls.ts";
import { kernelCalls } from "./kernelCalls.ts";

const calls = { ...imageCalls, ...kernelCalls };

export type ExtractHandlers = typeof calls;
answer(calls);

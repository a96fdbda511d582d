/** The dedicated worker of a page's training: takes TrainingCommands, posts TrainingEvents (messages.ts). */
import { createEngine } from "../gpu.ts";
import type { TrainingCommand, TrainingEvent } from "./messages.ts";
import { TrainingSession } from "./session.ts";
import { openRunStore } from "./store.ts";

const scope = self as unknown as {
	postMessage(event: TrainingEvent, transfer?: Transferable[]): void;
	onmessage: (message: MessageEvent<TrainingCommand>) => void;
};
const post = scope.postMessage.bind(scope);

let ready = open();
ready.catch((error: Error) => post({ type: "error", message: error.message }));
scope.onmessage = ({ data }) => {
	ready = ready.then(async (session) => {
		await session.handle(data);
		return session;
	});
	ready.catch(() => {}); // told when it happened
};

async function open(): Promise<TrainingSession> {
	if (!(await alone({ ifAvailable: true }))) {
		post({ type: "state", state: "elsewhere" });
		await alone({});
	}
	const store = await openRunStore();
	const session = new TrainingSession(store, () => createEngine(), post);
	await session.open();
	return session;
}

/** Takes the lock of the store, which two tabs must not write to, for as long as this worker lives. Resolves to whether it got it. */
function alone(options: LockOptions): Promise<boolean> {
	return new Promise((resolve, reject) => {
		navigator.locks
			.request("qpi-lens-training", options, (lock) => {
				resolve(lock !== null);
				if (lock) return new Promise(() => {});
			})
			.catch(reject);
	});
}

import type { NetworkName } from "../../models/networks.ts";
import type { KeptCheckpoint } from "../../training/checkpoint.ts";
import type { StoredData } from "../../training/prepare.ts";
import type { Attempt } from "../../training/run.ts";
import type { RunConfiguration, RunMetrics } from "./messages.ts";

/** What is kept of a run, by key. */
export type Kept = {
	run: {
		readonly configuration: RunConfiguration;
		/** Another one than this program gives the configuration, and what is stored cannot be gone on with. */
		readonly identity: string;
	};
	data: StoredData;
	/** There when the run is finished. */
	metrics: RunMetrics;
} & Record<`${NetworkName} checkpoint`, KeptCheckpoint> &
	Record<`${NetworkName} attempts`, readonly Attempt[]>;

/** Where the one run of a browser is kept: it outlives the tab. */
export interface RunStore {
	get<K extends keyof Kept>(key: K): Promise<Kept[K] | undefined>;
	has(key: keyof Kept): Promise<boolean>;
	/** Writes all entries or, where it throws, none. */
	put(entries: Partial<Kept>): Promise<void>;
	clear(): Promise<void>;
}

const OBJECTS = "run";

/** The store in IndexedDB. Throws an error that says so where the browser keeps nothing, as some private windows. */
export async function openStore(name = "qpi-lens-training"): Promise<RunStore> {
	const opening = indexedDB.open(name, 1);
	opening.onupgradeneeded = () => opening.result.createObjectStore(OBJECTS);
	const database = await new Promise<IDBDatabase>((resolve, reject) => {
		opening.onsuccess = () => resolve(opening.result);
		opening.onerror = () =>
			reject(
				new Error(
					`this browser keeps nothing for this page (${opening.error?.message}): a private window, or its settings, may be why`,
				),
			);
	});
	/** Resolves when the transaction is complete. */
	const transact = <T>(
		mode: IDBTransactionMode,
		work: (objects: IDBObjectStore) => IDBRequest<T> | undefined,
	) =>
		new Promise<T | undefined>((resolve, reject) => {
			const transaction = database.transaction(OBJECTS, mode);
			transaction.onabort = () => reject(explain(transaction.error));
			try {
				const request = work(transaction.objectStore(OBJECTS));
				transaction.oncomplete = () => resolve(request?.result);
			} catch (error) {
				transaction.abort(); // what was put before it goes too
				reject(error);
			}
		});
	return {
		get: (key) => transact("readonly", (objects) => objects.get(key)),
		has: async (key) =>
			(await transact("readonly", (objects) => objects.count(key))) === 1,
		async put(entries) {
			await transact("readwrite", (objects) => {
				for (const [key, value] of Object.entries(entries))
					objects.put(value, key);
				return undefined;
			});
		},
		async clear() {
			await transact("readwrite", (objects) => objects.clear());
		},
	};
}

function explain(error: DOMException | null): Error {
	return new Error(
		error?.name === "QuotaExceededError"
			? "the browser gives this page no more room to keep the run in"
			: `the browser could not keep the run (${error?.message})`,
	);
}

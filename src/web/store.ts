/** What a browser keeps for this page, in IndexedDB: it outlives the tab. */

/** Values by key. */
export interface Store<T extends object> {
	get<K extends keyof T>(key: K): Promise<T[K] | undefined>;
	has(key: keyof T): Promise<boolean>;
	/** Writes all entries or, where it throws, none. An entry that is undefined is removed. */
	put(entries: Partial<T>): Promise<void>;
	clear(): Promise<void>;
}

const OBJECTS = "run";

/**
 * @param what is kept, for people: "the run"
 * @throws an error that says so where the browser keeps nothing, as some private windows
 */
export async function openStore<T extends object>(
	name: string,
	what: string,
): Promise<Store<T>> {
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
	const transact = <R>(
		mode: IDBTransactionMode,
		work: (objects: IDBObjectStore) => IDBRequest<R> | undefined,
	) =>
		new Promise<R | undefined>((resolve, reject) => {
			const transaction = database.transaction(OBJECTS, mode);
			transaction.onabort = () => reject(explain(transaction.error, what));
			try {
				const request = work(transaction.objectStore(OBJECTS));
				transaction.oncomplete = () => resolve(request?.result);
			} catch (error) {
				transaction.abort(); // what was put before it goes too
				reject(error);
			}
		});
	return {
		get: (key) =>
			transact("readonly", (objects) => objects.get(key as IDBValidKey)),
		has: async (key) =>
			(await transact("readonly", (objects) =>
				objects.count(key as IDBValidKey),
			)) === 1,
		async put(entries) {
			await transact("readwrite", (objects) => {
				for (const [key, value] of Object.entries(entries))
					if (value === undefined) objects.delete(key);
					else objects.put(value, key);
				return undefined;
			});
		},
		async clear() {
			await transact("readwrite", (objects) => objects.clear());
		},
	};
}

function explain(error: DOMException | null, what: string): Error {
	return new Error(
		error?.name === "QuotaExceededError"
			? `the browser gives this page no more room to keep ${what} in`
			: `the browser could not keep ${what} (${error?.message})`,
	);
}

/** Milliseconds of a nap at most: what else happens in this thread while it waits for a device comes later by so much. */
const MOST = 1;
/** Of what has been waited so far, so that a short wait becomes hardly longer. */
const SHARE = 1 / 8;

const cell = new Int32Array(new SharedArrayBuffer(4)); // never woken
let waiting = 0;
let since = 0;
let scheduled = false;

/**
 * What `promise` of a device gives. Dawn's addon asks in every turn of the event loop whether the device is done, which keeps a core busy, and a software adapter
 * computes on that: while somebody waits here, each turn begins with a nap.
 */
export async function patiently<T>(promise: Promise<T>): Promise<T> {
	if (waiting++ === 0) since = performance.now();
	schedule();
	try {
		return await promise;
	} finally {
		waiting--;
	}
}

function schedule(): void {
	if (!scheduled) setImmediate(nap);
	scheduled = true;
}

function nap(): void {
	scheduled = false;
	if (waiting === 0) return;
	const time = Math.min(MOST, SHARE * (performance.now() - since));
	Atomics.wait(cell, 0, 0, time);
	schedule();
}

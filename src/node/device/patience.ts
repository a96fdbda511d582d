/** The longest nap, milliseconds. Anything else that happens in this thread while it waits for a device may be late by as much. */
const MOST = 1;
/** Of what has been waited so far, so that a short wait becomes hardly longer. */
const SHARE = 1 / 8;

const cell = new Int32Array(new SharedArrayBuffer(4)); // never woken
let waiting = 0;
let since = 0;
let scheduled = false;

/**
 * Waits for a `promise` of a device. Dawn's addon asks the device in every turn of the event loop whether it is done. That keeps a core busy which a software
 * adapter needs to compute on. So while somebody waits here, each turn begins with a nap.
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

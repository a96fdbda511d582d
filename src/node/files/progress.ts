/** Progress on standard error: a bar on a terminal, plain lines elsewhere. */
import { type Options, SingleBar } from "cli-progress";
import { visible } from "../../text.ts";

/** What a bar shows beside its count. */
export interface ProgressOptions {
	/** What is counted, e.g. "steps"; the rate is given in it. */
	unit: string;
	/** Where to write; standard error by default. */
	stream?: NodeJS.WritableStream & { isTTY?: boolean };
	/** Least seconds between two plain lines. */
	every?: number;
	/** Count already done when the bar starts, e.g. by the run that is resumed; the rate leaves it out. */
	start?: number;
}

/** A running bar. */
export interface Progress {
	/** Sets how much is done, and the words shown beside it, e.g. `{ loss: 0.0123 }`; numbers are printed to four digits. */
	update(done: number, payload?: Record<string, number | string>): void;
	/** Ends the bar, leaving its last state on the screen. Calling it again does nothing. */
	stop(): void;
}

/** `93` to `1m33s`. */
export function formatSeconds(seconds: number): string {
	if (!Number.isFinite(seconds)) return "?";
	const s = Math.max(0, Math.round(seconds));
	if (s < 60) return `${s}s`;
	const m = Math.floor(s / 60);
	if (m < 60) return `${m}m${String(s % 60).padStart(2, "0")}s`;
	return `${Math.floor(m / 60)}h${String(m % 60).padStart(2, "0")}m`;
}

/** Starts a bar up to `total`. */
export function startProgress(
	title: string,
	total: number,
	options: ProgressOptions,
): Progress {
	const stream = options.stream ?? process.stderr;
	const first = options.start ?? 0;
	const began = performance.now();
	let done = first;
	let words = "";
	let stopped = false;
	// Rate and time left are ours, not the bar's, so that both kinds of output say the same.
	const rest = () => {
		const seconds = (performance.now() - began) / 1000;
		const rate = (done - first) / Math.max(seconds, 1e-3);
		const time =
			done >= total
				? `took ${formatSeconds(seconds)}`
				: `${formatSeconds((total - done) / rate)} left`;
		const speed =
			done > first ? `${Number(rate.toPrecision(3))} ${options.unit}/s  ` : "";
		return `${words}${speed}${time}`;
	};
	const show = (payload: Record<string, number | string>) => {
		words = Object.entries(payload)
			.map(
				([key, v]) =>
					`${key} ${typeof v === "number" ? v.toPrecision(4) : visible(v)}  `,
			)
			.join("");
	};

	if (stream.isTTY) {
		const settings: Options = {
			format: "{title} {bar} {value}/{total}  {rest}",
			barCompleteChar: "█",
			barIncompleteChar: "░",
			barsize: 24,
			// A signal that ends the program at once must leave a cursor.
			hideCursor: false,
			fps: 5,
			stream,
			// The program, not the bar, decides what Ctrl-C does.
			gracefulExit: false,
		};
		const bar = new SingleBar(settings);
		bar.start(total, first, { title, rest: rest() });
		return {
			update(value, payload) {
				done = value;
				if (payload) show(payload);
				bar.update(value, { rest: rest() });
			},
			stop() {
				if (stopped) return;
				stopped = true;
				bar.update(done, { rest: rest() });
				bar.stop();
			},
		};
	}

	let last = began;
	let lastDone = -1;
	const line = () => {
		last = performance.now();
		lastDone = done;
		stream.write(`${title} ${done}/${total}  ${rest()}\n`);
	};
	return {
		update(value, payload) {
			done = value;
			if (payload) show(payload);
			if (performance.now() - last >= (options.every ?? 10) * 1000) line();
		},
		stop() {
			if (stopped) return;
			stopped = true;
			if (lastDone !== done) line();
		},
	};
}

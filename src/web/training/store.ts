import type { NetworkName } from "../../models/networks.ts";
import type { KeptCheckpoint } from "../../training/checkpoint.ts";
import type { StoredData } from "../../training/prepare.ts";
import type { Attempt } from "../../training/run.ts";
import { openStore, type Store } from "../store.ts";
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
	/** When it was, milliseconds since 1970. */
	finished: number;
} & Record<`${NetworkName} checkpoint`, KeptCheckpoint> &
	Record<`${NetworkName} attempts`, readonly Attempt[]>;

/** Where the one run of a browser is kept: it outlives the tab. */
export type RunStore = Store<Kept>;

export const openRunStore = (): Promise<RunStore> =>
	openStore<Kept>("qpi-lens-training", "the run");

import type { Gpu } from "../../engine/device/gpu.ts";
import type { NetworkName } from "../../models/networks.ts";
import type { History } from "../../training/checkpoint.ts";
import type { RunFolder } from "../files/runFolder.ts";

const FILE = "learning-curve.csv";
const HEAD =
	"network,epoch,seconds,products of convolutions and dense layers (TFLOP),loss,not trained on";

/** What each epoch of a training cost, and what came of it, as a table in the run's folder; a run that goes on adds to what it has. */
export class LearningCurve {
	readonly #gpu: Gpu;
	readonly #folder: RunFolder;
	#rows: string[];
	/** TFLOP of the processes before. */
	readonly #before: number;

	private constructor(gpu: Gpu, folder: RunFolder, rows: string[]) {
		this.#gpu = gpu;
		this.#folder = folder;
		this.#rows = rows;
		this.#before = Number(rows.at(-1)?.split(",")[3] ?? 0);
	}

	static async open(gpu: Gpu, folder: RunFolder): Promise<LearningCurve> {
		const text = await folder.read(FILE);
		const rows = text?.split("\n").slice(1, -1) ?? [];
		return new LearningCurve(gpu, folder, rows);
	}

	/** The last epoch of a network, with what all networks have cost until then. */
	async add(
		network: NetworkName,
		{ train, validation }: History,
	): Promise<void> {
		const [epoch, loss] = train[train.length - 1];
		const held = validation.find(([e]) => e === epoch)?.[1];
		const teraflop = this.#before + this.#gpu.statistics.flop / 1e12;
		const isEarlier = (row: string) => {
			const [name, at] = row.split(",");
			return name !== network || Number(at) < epoch;
		};
		this.#rows = this.#rows.filter(isEarlier);
		this.#rows.push(
			[
				network,
				epoch,
				this.#folder.seconds.toFixed(1),
				teraflop.toFixed(4),
				loss.toPrecision(6),
				held?.toPrecision(6) ?? "",
			].join(","),
		);
		await this.#folder.write(FILE, `${[HEAD, ...this.#rows].join("\n")}\n`);
	}
}

/** Marks and masks are in the scan's own frame; the picture, where it was corrected by the lattice, is in another. */
import { asScanned, corrected } from "../../../extraction/lattice/drift.ts";
import type { Moves } from "../worker/extractTypes.ts";
import type { Point } from "./fieldDrawing.ts";
import type { Drag, Tool } from "./fieldInput.ts";

type Place = (p: Point) => [number, number];

export class Frame {
	/** Undefined: the picture is the scan as it is. */
	moves: Moves | undefined;

	toPicture<P extends Point>(p: P): P {
		return this.moves ? { ...p, ...corrected(this.moves, p) } : p;
	}

	toScan<P extends Point>(p: P): P {
		return this.moves ? { ...p, ...asScanned(this.moves, p) } : p;
	}

	/** Where on the canvas a place of the scan is, from where one of the picture is. */
	placing(place: Place): Place {
		return this.moves ? (p) => place(this.toPicture(p)) : place;
	}

	/** What is painted at places of the scan. */
	painted(paint: Tool["paint"]): Tool["paint"] {
		return (ctx, place, room) => paint(ctx, this.placing(place), room);
	}

	/** A tool that works in the scan's frame, on the picture. */
	tool<T extends Tool>(inner: T): T {
		const { down, double, key, paint } = inner;
		return {
			...inner,
			down: (at, reach, shift) =>
				this.#drag(down(this.toScan(at), reach, shift)),
			double: double && ((at, reach) => double(this.toScan(at), reach)),
			key: key && ((event, at, pixel) => key(event, this.toScan(at), pixel)),
			paint: this.painted(paint),
		};
	}

	#drag(drag: Drag | null): Drag | null {
		if (!drag) return null;
		const { move } = drag;
		return {
			...drag,
			move: move && ((to) => move(this.toScan(to))),
			up: (to, dragged, inside) => drag.up(this.toScan(to), dragged, inside),
		};
	}
}

/** What is open now, and how far it has come: files, image and kernels all look at it. */

import type { Source } from "../basics/source.ts";
import type { Opened, PreparedImages } from "../worker/extractTypes.ts";

/** Shared by all parts of the tab; only OpenFiles and MeasuredImage write it. */
export class Now {
	file: Source | undefined;
	/** What the file holds. */
	opened: Opened | undefined;
	/** Undefined until they are prepared. */
	images: PreparedImages | undefined;

	/** Nothing is open. */
	forget(): void {
		[this.file, this.opened, this.images] = [undefined, undefined, undefined];
	}
}

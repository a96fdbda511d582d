/** What attention is made of, on maps of 8 x 8 and 32 x 32 pixels. */
import { softmax } from "../../src/engine/ops/softmax.ts";
import type { Shape } from "../../src/engine/tensor.ts";
import { softmax as softmaxReference } from "../../test/reference/softmax.ts";
import { differences } from "./check.ts";
import { backward, FORWARD, type Op, on } from "./row.ts";

const normalised = (shape: Shape): Op => ({
	name: `softmax [${shape}]`,
	make: on([shape], ([x]) => softmax(x)),
	check: differences(([x]) => softmaxReference(x)),
	passes: [FORWARD, backward([0], [0])],
});

export const attentions: Op[] = [
	normalised([8, 64, 64]),
	normalised([1, 1024, 1024]),
];

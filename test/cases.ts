/** The table of all ops: each row is checked by ops.test.ts against its reference, by values, gradients and repeatability. */
import * as attention from "./cases/attention.ts";
import * as bmm from "./cases/bmm.ts";
import * as broadcast from "./cases/broadcast.ts";
import * as conv from "./cases/conv.ts";
import * as elementwise from "./cases/elementwise.ts";
import * as embedding from "./cases/embedding.ts";
import * as layerNorm from "./cases/layerNorm.ts";
import * as linear from "./cases/linear.ts";
import * as loss from "./cases/loss.ts";
import * as norm from "./cases/norm.ts";
import * as permute from "./cases/permute.ts";
import * as pooling from "./cases/pooling.ts";
import * as random from "./cases/random.ts";
import * as reduce from "./cases/reduce.ts";
import * as reshape from "./cases/reshape.ts";
import * as sample from "./cases/sample.ts";
import * as softmax from "./cases/softmax.ts";
import * as spectral from "./cases/spectral.ts";
import * as upsampleConv from "./cases/upsampleConv.ts";
import type { BadCall, Case } from "./opTesting.ts";

const families: { cases: Case[]; badCalls?: BadCall[] }[] = [
	conv,
	upsampleConv,
	linear,
	bmm,
	attention,
	elementwise,
	reshape,
	broadcast,
	reduce,
	loss,
	norm,
	layerNorm,
	sample,
	pooling,
	embedding,
	permute,
	random,
	softmax,
	spectral,
];

export const cases = families.flatMap((family) => family.cases);
export const badCalls = families.flatMap((family) => family.badCalls ?? []);

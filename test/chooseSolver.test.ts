import { test } from "uvu";
import * as assert from "uvu/assert";
import {
	chooseSolver,
	FastestSolver,
} from "../src/extraction/kernels/chooseSolver.ts";
import {
	type ManySolver,
	onThisThread,
} from "../src/qpi/posterior/solveMany.ts";
import { problem } from "./solving.ts";

const { rights, covariance } = problem({
	...{ nx: 12, ny: 12, size: 5, marks: 3, components: 4, rights: 40 },
});
const work = {
	...{ rights, covariance, lambda: 1 },
	accuracy: { tolerance: 0.01, steps: 80 },
};

// Time here is what the solvers say that they take: that of the machine differs with what else it does.
let clock = 0;
performance.now = () => clock;
const waits: { until: number; resolve: () => void }[] = [];
const pass = (milliseconds: number) =>
	new Promise<void>((resolve) => {
		waits.push({ until: clock + milliseconds, resolve });
		waits.sort((a, b) => a.until - b.until);
		setImmediate(() => {
			const [next] = waits.splice(0, 1);
			clock = next.until;
			next.resolve();
		});
	});

/** Takes so many right-hand sides at once, and milliseconds for them; the first call longer by `start`. */
function waiting(
	name: string,
	together: number,
	milliseconds: number,
	start = 0,
): ManySolver & { calls: number[] } {
	const calls: number[] = [];
	return {
		...{ name, together, calls },
		async solve(rights) {
			const rounds = Math.ceil(rights.length / together);
			const wait = rounds * milliseconds + (calls.length === 0 ? start : 0);
			calls.push(rights.length);
			await pass(wait);
			return rights.map(({ right }) => right);
		},
	};
}

test("little work: the first, nobody else is asked", async () => {
	const first = waiting("first", 2, 1);
	const other = waiting("other", 2, 0);
	const few = { ...work, rights: rights.slice(0, 2) };
	const { solver, measured } = await chooseSolver([first, other], few);
	assert.is(solver, first);
	assert.equal(measured, []);
	assert.equal([first.calls, other.calls], [[1], []]);
});

test("much work: the fastest of those that take all they can at once, start left out", async () => {
	const first = waiting("first", 2, 60);
	const slow = waiting("slow", 1, 60);
	// as slow for one, but it takes 20
	const many = waiting("many", 20, 60, 200);
	const { solver, measured } = await chooseSolver([first, slow, many], work);
	assert.is(solver, many);
	assert.equal(
		measured.map(({ name }) => name),
		["first", "slow", "many"],
	);
	assert.equal(many.calls, [1, 20]);
	// 60 ms for 8 steps of 2, 1 and 20
	assert.equal(
		measured.map(({ milliseconds }) => milliseconds),
		[3.75, 7.5, 0.375],
	);
});

test("one that is slow to come is not waited for again, and one that fails is named", async () => {
	const first = waiting("first", 4, 15);
	const late = waiting("late", 100, 10, 2000);
	const broken: ManySolver = {
		...{ name: "broken", together: 9 },
		solve: () => Promise.reject(new Error("the device is lost")),
	};
	const { solver, measured } = await chooseSolver([first, late, broken], work);
	assert.is(solver, first);
	assert.equal(late.calls, [1]);
	assert.equal(measured[2], { name: "broken", error: "the device is lost" });
});

test("the solver of many calls: the first at little work, then the one that was chosen, once", async () => {
	const first = waiting("first", 2, 60);
	let closed = 0;
	const close = async () => {
		closed++;
	};
	const many = { ...waiting("many", 20, 60), close };
	const solver = new FastestSolver([first, many]);
	const few = rights.slice(0, 1);
	const call = (rights: typeof few, steps: number) =>
		solver.solve(rights, covariance, 1, { tolerance: 0.01, steps });
	await call(few, 8);
	assert.equal([solver.name, solver.together], ["first", 2]);
	assert.equal(solver.measured, []);
	assert.equal(first.calls, [1, 1]);
	// one beside it does not choose too
	await Promise.all([call(rights, 80), call(few, 80)]);
	assert.equal([solver.name, solver.together], ["many", 20]);
	assert.equal(many.calls, [1, 20, 40]);
	const asked = first.calls.length;
	assert.is((await call(rights, 80)).length, 40);
	assert.equal(many.calls, [1, 20, 40, 40]);
	assert.is(first.calls.length, asked);
	assert.is(solver.measured.length, 2);
	await solver.close();
	assert.is(closed, 1);
});

test("alone, and on nothing", async () => {
	const other = waiting("other", 2, 0);
	assert.equal(await chooseSolver([onThisThread], work), {
		...{ solver: onThisThread, measured: [] },
	});
	const nothing = { ...work, rights: [] };
	const { solver } = await chooseSolver([onThisThread, other], nothing);
	assert.is(solver, onThisThread);
	assert.equal(other.calls, []);
});

test.run();

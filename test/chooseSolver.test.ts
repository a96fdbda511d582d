import { test } from "uvu";
import * as assert from "uvu/assert";
import { chooseSolver } from "../src/extraction/chooseSolver.ts";
import { type ManySolver, onThisThread } from "../src/qpi/solveMany.ts";
import { problem } from "./solving.ts";

const { rights, covariance } = problem({
	...{ nx: 12, ny: 12, size: 5, marks: 3, components: 4, rights: 40 },
});
const work = {
	...{ rights, covariance, lambda: 1 },
	accuracy: { tolerance: 0.01, steps: 80 },
};

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
			await new Promise((resolve) => setTimeout(resolve, wait));
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
	const [a, b, c] = measured.map(
		({ milliseconds = Number.NaN }) => milliseconds,
	);
	// 60 ms for 8 steps of 2, 1 and 20
	assert.ok(a >= 3.5 && a < b && b >= 7 && c < a && c >= 0.3, `${[a, b, c]}`);
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

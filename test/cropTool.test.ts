// The crop that is drawn on the page's picture is always one that the program takes.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Random } from "../src/random.ts";
import { cropTool } from "../src/web/page/picture/cropTool.ts";

const bounds = { x: [-123.47, 118.93], y: [-80.02, 97.56] } as const;

test("drags of any kind, past corners too, end within the picture, at tenths of an Angstrom", () => {
	const random = new Random(5);
	let region: Parameters<Parameters<typeof cropTool>[2]>[0] | null = null;
	let made = 0;
	const tool = cropTool(
		() => region,
		() => bounds,
		(drawn) => {
			region = drawn;
			made++;
		},
		() => {},
	);
	const somewhere = (beyond: number) => ({
		x: random.uniform(bounds.x[0] - beyond, bounds.x[1] + beyond),
		y: random.uniform(bounds.y[0] - beyond, bounds.y[1] + beyond),
	});
	for (let i = 0; i < 2000; i++) {
		const square = i % 3 === 0;
		if (i % 5 === 0) region = null;
		const drag = tool.down(somewhere(0), 4, square);
		const to = somewhere(80);
		drag?.move?.(to);
		drag?.up(to, true, false);
		if (!region) continue;
		const { x, y, width, height } = region as NonNullable<typeof region>;
		const edges = [
			x - width / 2,
			x + width / 2,
			y - height / 2,
			y + height / 2,
		];
		assert.ok(edges[0] >= bounds.x[0] && edges[1] <= bounds.x[1], `${edges}`);
		assert.ok(edges[2] >= bounds.y[0] && edges[3] <= bounds.y[1], `${edges}`);
		for (const edge of edges)
			assert.ok(Math.abs(edge * 10 - Math.round(edge * 10)) < 1e-6, `${edge}`);
	}
	assert.ok(made > 1000);
});

test.run();

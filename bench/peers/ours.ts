import {
	Adam,
	add,
	backward,
	clamp,
	conv2d,
	convTranspose2d,
	exp,
	type Gpu,
	klLoss,
	matmul,
	mseLoss,
	mul,
	Parameter,
	Parameters,
	scale,
	scope,
	type Tensor,
	tensor,
} from "../../src/engine/index.ts";
import {
	ADAM,
	BATCH,
	BETA,
	CONV,
	GEMM,
	LAYERS,
	sample,
	values,
	type Work,
} from "./work.ts";

export function start(gpu: Gpu): Record<string, Work> {
	return { gemm: gemm(gpu), ...convolution(gpu), step: step(gpu) };
}

function gemm(gpu: Gpu) {
	const [a, b] = [1, 2].map((seed) =>
		tensor(gpu, values(GEMM * GEMM, seed), [GEMM, GEMM]),
	);
	return {
		async run() {
			scope(gpu, () => {
				matmul(a, b);
			});
			await gpu.idle();
		},
		check: async () => sample(await scope(gpu, () => matmul(a, b)).data()),
	};
}

function convolution(gpu: Gpu) {
	const { batch, size, channels, kernel } = CONV;
	const shape = [batch, size, size, channels];
	const count = batch * size * size * channels;
	const x = tensor(gpu, values(count, 3), shape);
	const dy = tensor(gpu, values(count, 5), shape);
	const wShape = [channels, kernel, kernel, channels];
	const wCount = channels * channels * kernel * kernel;
	const w = tensor(gpu, values(wCount, 4), wShape);
	const forward = () => conv2d(x, w, null, { padding: 1 });
	const gradients = () =>
		scope(gpu, () => {
			for (const leaf of [x, w]) {
				leaf.requiresGrad = true;
				leaf.grad = null;
			}
			backward(forward(), dy);
			x.requiresGrad = false;
			w.requiresGrad = false;
			return [x.grad, w.grad] as unknown as Tensor[];
		});
	return {
		conv: {
			async run() {
				scope(gpu, () => {
					forward();
				});
				await gpu.idle();
			},
			check: async () => sample(await scope(gpu, forward).data()),
		},
		convGradients: {
			async run() {
				for (const g of gradients()) g.dispose();
				await gpu.idle();
			},
			async check() {
				const parts: number[] = [];
				for (const g of gradients()) parts.push(...sample(await g.data()));
				return parts;
			},
		},
	};
}

function step(gpu: Gpu) {
	const list = new Map<string, Parameter>();
	for (const { name, shape, weight, bias } of LAYERS) {
		list.set(`${name}.weight`, new Parameter(shape, weight));
		list.set(`${name}.bias`, new Parameter([bias.length], bias));
	}
	const p = new Parameters(gpu, list);
	const { lr, beta1, beta2, eps } = ADAM;
	const adam = new Adam(p, { lr, betas: [beta1, beta2], eps });
	const target = tensor(gpu, values(BATCH * 4096, 6), [BATCH, 64, 64, 1]);
	const noise = tensor(gpu, values(BATCH * 256, 7), [BATCH, 8, 8, 4]);
	const wb = (name: string) =>
		[p.get(`${name}.weight`), p.get(`${name}.bias`)] as const;
	const halve = {
		stride: 2,
		padding: 1,
		activation: "relu",
	} as const;
	const loss = () => {
		let h = target;
		for (const name of ["down1", "down2", "down3"])
			h = conv2d(h, ...wb(name), halve);
		const mean = conv2d(h, ...wb("mean"), { padding: 1 });
		const logvar = clamp(conv2d(h, ...wb("logvar"), { padding: 1 }), -30, 20);
		let z = add(mean, mul(noise, exp(scale(logvar, 0.5))));
		for (const name of ["up1", "up2", "up3"])
			z = convTranspose2d(z, ...wb(name), halve);
		const image = conv2d(z, ...wb("out"), { padding: 1 });
		return add(mseLoss(image, target), scale(klLoss(mean, logvar), BETA));
	};
	return {
		async run() {
			const value = scope(gpu, () => {
				p.zeroGrad();
				const value = loss();
				backward(value);
				adam.step();
				return value;
			});
			const number = await value.item();
			value.dispose();
			return number;
		},
	};
}

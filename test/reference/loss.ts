import { type Nd, nd } from "../opTesting.ts";

const mean = (x: Nd, f: (i: number) => number) =>
	nd([1], () => x.data.reduce((sum, _, i) => sum + f(i), 0) / x.data.length);

export const mse = (a: Nd, b: Nd) =>
	mean(a, (i) => (a.data[i] - b.data[i]) ** 2);

export const clampLogvar = (v: number) => Math.min(Math.max(v, -30), 20);

export const kl = (m: Nd, logvar: Nd) =>
	mean(m, (i) => {
		const l = clampLogvar(logvar.data[i]);
		return -0.5 * (1 + l - m.data[i] ** 2 - Math.exp(l));
	});

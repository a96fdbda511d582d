/** Made by src/build/wgsl.ts from shaders/. */
declare module "qpi-lens:shaders" {
	export const shaders: Readonly<Record<string, string>>;
	export const layouts: Readonly<
		Record<string, import("../engine/kernel.ts").Layouts>
	>;
}

/** Made by src/build/wgsl.ts from shaders/. */
declare module "qpi-lens:shaders" {
	/** With all that they import. */
	export const shaders: Readonly<Record<string, string>>;
	export const parts: Readonly<Record<string, string>>;
}

/** Made by src/build/wgsl.ts from shaders/. */
declare module "qpi-lens:shaders" {
	/** Shaders and parts by name, as deflated JSON: unpackShaders() has them as text. */
	const deflated: Uint8Array<ArrayBuffer>;
	export default deflated;
}

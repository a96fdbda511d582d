/** What an adapter is called, and whether it is one. */

/** What people know an adapter by. */
export const adapterNameOf = (info: GPUAdapterInfo | undefined): string =>
	info?.description ||
	info?.device ||
	[info?.vendor, info?.architecture].filter(Boolean).join(" ") ||
	"an adapter without a name";

/** Whether an adapter runs on the CPU. */
export const isSoftware = (info: GPUAdapterInfo | undefined): boolean =>
	(info?.isFallbackAdapter ?? false) ||
	/llvmpipe|swiftshader/i.test(adapterNameOf(info));

/** SHA-256 of the files in bin/swiftshader.tar.br of @sparticuz/chromium, by the package's version. A version that is not here is taken as npm installed it. */
export const EMBEDDED_SUMS: Readonly<
	Record<string, Readonly<Record<string, string>>>
> = {
	"147.0.0": {
		"libEGL.so":
			"b6dc0e4607294eacb39d83206156e0efeed77c11e6cb3e721d01f3fead5c8f72",
		"libGLESv2.so":
			"29a18749631bd8919062e4464250248cf450d4d74e255d1e6e8b052eda06486e",
		"libvk_swiftshader.so":
			"5b9e8591c7c2d1c9618c3ad485d0cdffb81f5f1ffd6a982fdb6578c2d8d3213e",
		"libvulkan.so.1":
			"fe17a77c1f2df38d3b6a935140f746fd80aac564bb44eb3e4f6b75a504295a41",
		"vk_swiftshader_icd.json":
			"c9eef28b6b984fec220ef0abfecc40b502d46946706e47bfe97707027cb818bd",
	},
};

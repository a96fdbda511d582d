// What npm installs is what the lock file says, on every platform.
import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";

test("every package of the lock file has its checksum, and none the address of a registry", () => {
	const file = new URL("../package-lock.json", import.meta.url);
	const { packages } = JSON.parse(readFileSync(file, "utf8"));
	for (const [path, entry] of Object.entries<Record<string, string>>(
		packages,
	)) {
		if (path === "") continue;
		assert.match(entry.integrity ?? "none", /^sha512-[\w+/]{86}==$/, path);
		assert.not(Object.hasOwn(entry, "resolved"), path);
	}
});

test.run();

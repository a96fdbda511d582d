/** A disk that is full, and a limit on the size of files: the error names the file, what was there before stays, and nothing half-written is left. */
import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";

const scratch = await mkdtemp(join(tmpdir(), "qpi-full-"));
test.after(() => rm(scratch, { recursive: true }));

const module = (name: string) =>
	JSON.stringify(new URL(`../src/node/files/${name}.ts`, import.meta.url));
/** Writes a small file, then a large one in its place, then a folder of results. */
const script = `
import { readdirSync, readFileSync } from "node:fs";
import { writeFileAtomic } from ${module("files")};
import { OutFolder } from ${module("outFolder")};
const failure = (work) => work.then(
	() => "no error",
	({ code, path, message }) => ({ code, path, message }),
);
await writeFileAtomic("weights.bin", "the old one");
const large = new Uint8Array(1_000_000);
const file = await failure(writeFileAtomic("weights.bin", large));
const pieces = await failure(
	writeFileAtomic("pieces.csv", Array.from({ length: 1000 }, () => "1".repeat(1000))),
);
const out = await OutFolder.create("out");
const folder = await failure(out.write("kernel.npy", large));
await out.discard();
console.log(JSON.stringify({
	...{ file, pieces, folder, names: readdirSync(".") },
	old: readFileSync("weights.bin", "utf8"),
}));
`;

/** Runs shell commands, then the script in the folder that they leave it in. */
function run(shell: readonly string[], before: string) {
	const [program, ...args] = shell;
	return spawnSync(
		program,
		[
			...[...args, `${before} && exec "$@"`, "sh"],
			...[process.execPath, "--input-type=module", "-e", script],
		],
		{ encoding: "utf8", timeout: 60_000 },
	);
}

function check({ stdout, stderr }: ReturnType<typeof run>, code: string): void {
	assert.ok(stdout, stderr);
	const { file, pieces, folder, names, old } = JSON.parse(stdout);
	for (const [fault, name] of [
		[file, "weights.bin"],
		[pieces, "pieces.csv"],
		[folder, "kernel.npy"],
	]) {
		assert.is(fault.code, code, JSON.stringify(fault));
		assert.ok(fault.path.endsWith(name), fault.path);
		assert.ok(fault.message.startsWith(`${fault.path}: ${code}`));
	}
	assert.is(old, "the old one");
	assert.equal(names, ["weights.bin"]);
}

const posix = process.platform === "win32" ? test.skip : test;

posix("files larger than the process may write", async () => {
	const folder = join(scratch, "limited");
	await mkdir(folder);
	check(run(["sh", "-c"], `cd '${folder}' && ulimit -f 64`), "EFBIG");
});

// In a namespace of its own, where a small disk may be mounted by anyone.
const small = join(scratch, "small");
await mkdir(small);
const mount = `mount -t tmpfs -o size=64k none '${small}' && cd '${small}'`;
const namespace = ["unshare", "-rm", "sh", "-c"];
const can =
	spawnSync(namespace[0], [...namespace.slice(1), mount]).status === 0;
if (!can) console.log("skipped: no disk can be mounted here (unshare -rm)");
(can ? test : test.skip)("a full disk", () =>
	check(run(namespace, mount), "ENOSPC"),
);

test.run();

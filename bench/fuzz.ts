/** Random cases, far more than the tests run: `npm run fuzz -- --reader all --count 100000 --seed 1`. */
const args = process.argv.slice(2);
if (args.some((arg) => /^--reader(=|$)/.test(arg))) {
	const { fuzzReaders } = await import("./fuzzReaders.ts");
	process.exitCode = await fuzzReaders(args);
} else {
	console.error("give --reader NAME, or --reader all");
	process.exitCode = 1;
}

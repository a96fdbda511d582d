/** Random cases, far more than the tests run: `npm run fuzz -- --ops --count 10000 --seed 1`, or `--reader all`. */
const programs = [
	{ option: "--ops", file: "./fuzzOps.ts", name: "fuzzOps" },
	{ option: "--reader", file: "./fuzzReaders.ts", name: "fuzzReaders" },
];
const args = process.argv.slice(2);
const program = programs.find(({ option }) =>
	args.some((arg) => arg === option || arg.startsWith(`${option}=`)),
);
if (program) {
	const module = await import(program.file);
	process.exitCode = await module[program.name](args);
} else {
	console.error("npm run fuzz -- expects --ops, or --reader NAME");
	process.exitCode = 1;
}

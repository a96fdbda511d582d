import { type Attributes, type Token, TokenReader, WORD } from "./tokens.ts";

/**
 * What a WGSL source declares at module scope, as far as the host needs to know it: resources, structs, aliases, overrides, functions and the names that these
 * use. Only what is read is checked; whether all of it is WGSL the device says.
 */

export interface Variable {
	readonly name: string;
	/** Address space and access, "storage, read_write"; "" of textures and samplers. */
	readonly space: string;
	readonly type: string;
	readonly attributes: Attributes;
	readonly line: number;
}

export interface Member {
	readonly name: string;
	readonly type: string;
	readonly attributes: Attributes;
	readonly line: number;
}

export interface WgslFunction {
	readonly attributes: Attributes;
	/** Names that its body uses and does not declare itself. */
	readonly uses: ReadonlySet<string>;
}

export interface Declarations {
	readonly variables: readonly Variable[];
	readonly structs: ReadonlyMap<string, readonly Member[]>;
	readonly aliases: ReadonlyMap<string, string>;
	readonly overrides: readonly string[];
	readonly functions: ReadonlyMap<string, WgslFunction>;
}

/** Reads a source. Throws a WgslError where it ends too early or a declaration is none. */
export function readDeclarations(source: string): Declarations {
	const reader = new TokenReader(source);
	const variables: Variable[] = [];
	const structs = new Map<string, Member[]>();
	const aliases = new Map<string, string>();
	const overrides: string[] = [];
	const functions = new Map<string, WgslFunction>();
	while (!reader.isAtEnd) {
		const attributes = reader.attributes();
		if (reader.peek() === ";") {
			reader.skip();
			continue;
		}
		const keyword = reader.word("a declaration");
		if (keyword === "var") variables.push(readVariable(reader, attributes));
		else if (keyword === "struct") structs.set(...readStruct(reader));
		else if (keyword === "fn")
			functions.set(...readFunction(reader, attributes));
		else if (keyword === "override") {
			overrides.push(reader.word("an override's name"));
			reader.toSemicolon();
		} else if (keyword === "alias") {
			const name = reader.word("an alias");
			reader.expect("=");
			aliases.set(name, reader.type());
			reader.toSemicolon();
		} else reader.toSemicolon(); // const, const_assert, enable, requires, diagnostic
	}
	return { variables, structs, aliases, overrides, functions };
}

function readVariable(reader: TokenReader, attributes: Attributes): Variable {
	const space = reader.enclosedBy("<");
	const { line } = reader;
	const name = reader.word("a variable's name");
	let type = "";
	if (reader.peek() === ":") {
		reader.skip();
		type = reader.type();
	}
	reader.toSemicolon();
	return { name, space, type, attributes, line };
}

function readStruct(reader: TokenReader): [string, Member[]] {
	const name = reader.word("a struct's name");
	reader.expect("{");
	const members: Member[] = [];
	while (reader.peek() !== "}") {
		const attributes = reader.attributes();
		const { line } = reader;
		const member = reader.word("a member's name");
		reader.expect(":");
		members.push({ name: member, type: reader.type(), attributes, line });
		if (reader.peek() !== "}") reader.expect(",");
	}
	reader.skip();
	return [name, members];
}

function readFunction(
	reader: TokenReader,
	attributes: Attributes,
): [string, WgslFunction] {
	const name = reader.word("a function's name");
	if (reader.peek() !== "(") throw reader.failure('"("');
	const parameters = reader.enclosed();
	while (!reader.isAtEnd && reader.peek() !== "{" && reader.peek() !== ";")
		reader.skip();
	if (reader.peek() !== "{") throw reader.failure('"{"');
	return [name, { attributes, uses: usesOf(parameters, reader.enclosed()) }];
}

/** The words in a function, except members (behind a dot) and the names that the function itself declares. */
function usesOf(
	parameters: readonly Token[],
	body: readonly Token[],
): Set<string> {
	const own = new Set<string>();
	parameters.forEach(({ text }, i) => {
		if (parameters[i + 1]?.text === ":") own.add(text);
	});
	const used = new Set<string>();
	body.forEach(({ text }, i) => {
		if (!WORD.test(text) || body[i - 1]?.text === ".") return;
		if (/^(let|var|const)$/.test(body[i - 1]?.text ?? "")) own.add(text);
		else used.add(text);
	});
	for (const name of own) used.delete(name);
	return used;
}

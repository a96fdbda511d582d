/**
 * What a WGSL source declares at module scope, as far as the host needs to know it: resources, structs, aliases, overrides, functions and the names that these
 * use. Only what is read is checked; whether all of it is WGSL the device says.
 */

/** A word, a number, or a single character of anything else, and the line that it stands in, counted from 1. */
interface Token {
	readonly text: string;
	readonly line: number;
}

export interface Attributes {
	readonly [name: string]: string;
}

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

/** What is wrong with a source, and in which of its lines. */
export class WgslError extends Error {
	readonly line: number;
	constructor(line: number, message: string) {
		super(message);
		this.line = line;
	}
}

const WORD = /^[\p{L}_]/u;
const CLOSED_BY: Readonly<Record<string, string>> = {
	"(": ")",
	"{": "}",
	"[": "]",
	"<": ">",
};

/** Comments become blanks, and their line breaks stay; block comments may hold others. */
function withoutComments(source: string): string {
	let code = "";
	let depth = 0;
	for (let i = 0; i < source.length; i++) {
		const two = source.slice(i, i + 2);
		if (two === "/*" || (depth > 0 && two === "*/")) {
			depth += two === "/*" ? 1 : -1;
			code += " ";
			i++;
		} else if (depth === 0 && two === "//") {
			const end = source.indexOf("\n", i);
			i = (end < 0 ? source.length : end) - 1;
		} else if (depth === 0 || source[i] === "\n") code += source[i];
	}
	return code;
}

function tokensOf(source: string): Token[] {
	return withoutComments(source)
		.split("\n")
		.flatMap((line, i) =>
			(line.match(/[\p{L}\p{N}_]+(?:\.[\p{N}][\p{N}\p{L}_]*)?|\S/gu) ?? []).map(
				(text) => ({ text, line: i + 1 }),
			),
		);
}

/** Reads a source. Throws a WgslError where it ends too early or a declaration is none. */
export function readDeclarations(source: string): Declarations {
	const tokens = tokensOf(source);
	const lastLine = tokens.at(-1)?.line ?? 1;
	let at = 0;

	const peek = () => tokens[at]?.text;
	const fail = (expected: string) =>
		new WgslError(
			tokens[at]?.line ?? lastLine,
			`found ${at < tokens.length ? `"${tokens[at].text}"` : "the end"}, expected ${expected}`,
		);
	const expect = (text: string) => {
		if (peek() !== text) throw fail(`"${text}"`);
		at++;
	};
	const word = (what: string): string => {
		if (!WORD.test(peek() ?? "")) throw fail(what);
		return tokens[at++].text;
	};
	/** From an opening bracket to behind its partner; what is between. "<" is a bracket only of templates, not in expressions. */
	const enclosed = (): readonly Token[] => {
		const first = at;
		const opener = tokens[at];
		const close = [CLOSED_BY[opener.text]];
		at++;
		while (close.length > 0) {
			if (at >= tokens.length)
				throw fail(
					`"${close.at(-1)}" for the "${opener.text}" of line ${opener.line}`,
				);
			const { text } = tokens[at++];
			if (text === close.at(-1)) close.pop();
			else if (text in CLOSED_BY && (text !== "<" || close.at(-1) === ">"))
				close.push(CLOSED_BY[text]);
			else if (/^[)}\]]$/.test(text)) {
				at--;
				throw fail(`"${close.at(-1)}"`);
			}
		}
		return tokens.slice(first + 1, at - 1);
	};
	const attributesHere = (): Attributes => {
		const attributes: Record<string, string> = {};
		while (peek() === "@") {
			at++;
			const name = word("an attribute");
			attributes[name] = peek() === "(" ? joined(enclosed()) : "";
		}
		return attributes;
	};
	/** A type, up to what cannot belong to it. */
	const type = (): string => {
		const name = word("a type");
		return peek() === "<" ? `${name}<${joined(enclosed())}>` : name;
	};
	const toSemicolon = () => {
		while (peek() !== ";") {
			if (at >= tokens.length) throw fail('";"');
			if (/^[({[]$/.test(peek())) enclosed();
			else at++;
		}
		at++;
	};

	const variables: Variable[] = [];
	const structs = new Map<string, Member[]>();
	const aliases = new Map<string, string>();
	const overrides: string[] = [];
	const functions = new Map<string, WgslFunction>();

	const variable = (attributes: Attributes) => {
		const space = peek() === "<" ? joined(enclosed()) : "";
		const { line } = tokens[at] ?? { line: lastLine };
		const name = word("a variable's name");
		let own = "";
		if (peek() === ":") {
			at++;
			own = type();
		}
		toSemicolon();
		variables.push({ name, space, type: own, attributes, line });
	};
	const struct = () => {
		const name = word("a struct's name");
		expect("{");
		const members: Member[] = [];
		while (peek() !== "}") {
			const attributes = attributesHere();
			const { line } = tokens[at] ?? { line: lastLine };
			const member = word("a member's name");
			expect(":");
			members.push({ name: member, type: type(), attributes, line });
			if (peek() !== "}") expect(",");
		}
		at++;
		structs.set(name, members);
	};
	const fn = (attributes: Attributes) => {
		const name = word("a function's name");
		if (peek() !== "(") throw fail('"("');
		const parameters = enclosed();
		while (at < tokens.length && peek() !== "{" && peek() !== ";") at++;
		if (peek() !== "{") throw fail('"{"');
		functions.set(name, { attributes, uses: usesOf(parameters, enclosed()) });
	};

	while (at < tokens.length) {
		const attributes = attributesHere();
		const keyword = peek();
		if (keyword === ";") {
			at++;
			continue;
		}
		word("a declaration");
		if (keyword === "var") variable(attributes);
		else if (keyword === "struct") struct();
		else if (keyword === "fn") fn(attributes);
		else if (keyword === "override") {
			overrides.push(word("an override's name"));
			toSemicolon();
		} else if (keyword === "alias") {
			const name = word("an alias");
			expect("=");
			aliases.set(name, type());
			toSemicolon();
		} else toSemicolon(); // const, const_assert, enable, requires, diagnostic
	}
	return { variables, structs, aliases, overrides, functions };
}

const joined = (tokens: readonly Token[]): string =>
	tokens.map(({ text }) => (text === "," ? ", " : text)).join("");

/** The words of a function but for members (behind a dot) and what it declares itself. */
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

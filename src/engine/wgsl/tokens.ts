/** WGSL in words, and how to read on in them. */

/** A word, a number, or a single character of anything else, and the line that it stands in, counted from 1. */
export interface Token {
	readonly text: string;
	readonly line: number;
}

export interface Attributes {
	readonly [name: string]: string;
}

/** What is wrong with a source, and in which of its lines. */
export class WgslError extends Error {
	readonly line: number;
	constructor(line: number, message: string) {
		super(message);
		this.line = line;
	}
}

export const WORD = /^[\p{L}_]/u;
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

/** The words together again, as messages show them. */
const joined = (tokens: readonly Token[]): string =>
	tokens.map(({ text }) => (text === "," ? ", " : text)).join("");

/** Goes through a source's tokens. What is not as expected is a WgslError that says what was found. */
export class TokenReader {
	readonly #tokens: readonly Token[];
	#at = 0;

	constructor(source: string) {
		this.#tokens = tokensOf(source);
	}

	/** The next token's text; undefined at the end. */
	peek(): string | undefined {
		return this.#tokens[this.#at]?.text;
	}

	get isAtEnd(): boolean {
		return this.#at >= this.#tokens.length;
	}

	/** Of the next token, or of the last. */
	get line(): number {
		return (this.#tokens[this.#at] ?? this.#tokens.at(-1))?.line ?? 1;
	}

	failure(expected: string): WgslError {
		const found = this.isAtEnd ? "the end" : `"${this.peek()}"`;
		return new WgslError(this.line, `found ${found}, expected ${expected}`);
	}

	skip(): void {
		this.#at++;
	}

	expect(text: string): void {
		if (this.peek() !== text) throw this.failure(`"${text}"`);
		this.#at++;
	}

	/** @param what is expected, for the message */
	word(what: string): string {
		const word = this.peek();
		if (word === undefined || !WORD.test(word)) throw this.failure(what);
		this.#at++;
		return word;
	}

	/** From an opening bracket to behind its partner; what is between. "<" is a bracket only of templates, not in expressions. */
	enclosed(): readonly Token[] {
		const first = this.#at;
		const opener = this.#tokens[first];
		const close = [CLOSED_BY[opener.text]];
		this.#at++;
		while (close.length > 0) {
			const text = this.peek();
			if (text === undefined)
				throw this.failure(
					`"${close.at(-1)}" for the "${opener.text}" of line ${opener.line}`,
				);
			if (text === close.at(-1)) close.pop();
			else if (text in CLOSED_BY && (text !== "<" || close.at(-1) === ">"))
				close.push(CLOSED_BY[text]);
			else if (/^[)}\]]$/.test(text)) throw this.failure(`"${close.at(-1)}"`);
			this.#at++;
		}
		return this.#tokens.slice(first + 1, this.#at - 1);
	}

	/** What is between the brackets that come next, as text; "" where another token comes than the one that opens them. */
	enclosedBy(opener: string): string {
		return this.peek() === opener ? joined(this.enclosed()) : "";
	}

	attributes(): Attributes {
		const attributes: Record<string, string> = {};
		while (this.peek() === "@") {
			this.#at++;
			const name = this.word("an attribute");
			attributes[name] = this.enclosedBy("(");
		}
		return attributes;
	}

	/** A type, up to what cannot belong to it. */
	type(): string {
		const name = this.word("a type");
		return this.peek() === "<" ? `${name}<${this.enclosedBy("<")}>` : name;
	}

	/** To behind it; brackets on the way are closed. */
	toSemicolon(): void {
		while (this.peek() !== ";") {
			if (this.isAtEnd) throw this.failure('";"');
			if (/^[({[]$/.test(this.peek() ?? "")) this.enclosed();
			else this.#at++;
		}
		this.#at++;
	}
}

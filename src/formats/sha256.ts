/** SHA-256 in hexadecimal, by Web Crypto: Node has it, and browsers on pages that came by https or from this machine. */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
	const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
	return Array.from(hash, (b) => b.toString(16).padStart(2, "0")).join("");
}

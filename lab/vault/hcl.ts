/** As much HCL as Vault's policies are written in: labelled blocks, attributes, strings, numbers, booleans and lists. */
export type HclValue = string | number | boolean | HclValue[] | { [key: string]: HclValue };

export interface HclBlock {
  type: string;
  label: string;
  line: number;
  body: Record<string, HclValue>;
}

interface Token {
  kind: "word" | "string" | "number" | "sign" | "end";
  text: string;
  line: number;
}

export class HclError extends Error {}

function scan(text: string): Token[] {
  const pattern = /\s+|#[^\n]*|\/\/[^\n]*|\/\*[\s\S]*?\*\/|"((?:[^"\\\n]|\\.)*)"|(-?\d+(?:\.\d+)?)|([A-Za-z_][\w-]*)|([{}[\]=,])|([\s\S])/g;
  const tokens: Token[] = [];
  let line = 1;
  for (const match of text.matchAll(pattern)) {
    const [whole, quoted, number, word, sign, other] = match;
    if (other !== undefined) throw new HclError(`error parsing: At ${line}: illegal character ${JSON.stringify(other)}`);
    if (quoted !== undefined) tokens.push({ kind: "string", text: unquote(quoted), line });
    else if (number !== undefined) tokens.push({ kind: "number", text: number, line });
    else if (word !== undefined) tokens.push({ kind: "word", text: word, line });
    else if (sign !== undefined) tokens.push({ kind: "sign", text: sign, line });
    line += whole.split("\n").length - 1;
  }
  return [...tokens, { kind: "end", text: "end of file", line }];
}

const unquote = (text: string): string => text.replace(/\\(.)/g, (_, c: string) => ({ n: "\n", t: "\t", r: "\r" })[c] ?? c);

class Parser {
  #at = 0;

  constructor(private readonly tokens: readonly Token[]) {}

  get next(): Token {
    return this.tokens[this.#at] ?? { kind: "end", text: "end of file", line: 0 };
  }

  take(): Token {
    const token = this.next;
    this.#at++;
    return token;
  }

  accept(sign: string): boolean {
    if (this.next.kind !== "sign" || this.next.text !== sign) return false;
    this.#at++;
    return true;
  }

  expect(sign: string): void {
    const { text, line } = this.next;
    if (!this.accept(sign)) throw new HclError(`error parsing: At ${line}: expected "${sign}", found "${text}"`);
  }

  value(): HclValue {
    const token = this.take();
    if (token.kind === "string") return token.text;
    if (token.kind === "number") return Number(token.text);
    if (token.kind === "word" && (token.text === "true" || token.text === "false")) return token.text === "true";
    if (token.kind === "sign" && token.text === "[") {
      const items: HclValue[] = [];
      while (!this.accept("]")) {
        items.push(this.value());
        if (!this.accept(",") && this.next.text !== "]") this.expect("]");
      }
      return items;
    }
    if (token.kind === "sign" && token.text === "{") return this.body();
    throw new HclError(`error parsing: At ${token.line}: unexpected "${token.text}"`);
  }

  /** Attributes up to the closing brace. */
  body(): Record<string, HclValue> {
    const found: Record<string, HclValue> = {};
    while (!this.accept("}")) {
      const key = this.take();
      if (key.kind !== "word" && key.kind !== "string") throw new HclError(`error parsing: At ${key.line}: expected a key, found "${key.text}"`);
      if (!this.accept("=") && this.next.text !== "{") this.expect("=");
      found[key.text] = this.value();
      this.accept(",");
    }
    return found;
  }
}

/** @throws HclError that says where */
export function parseHcl(text: string): { attributes: Record<string, HclValue>; blocks: HclBlock[] } {
  const parser = new Parser(scan(text));
  const attributes: Record<string, HclValue> = {};
  const blocks: HclBlock[] = [];
  while (parser.next.kind !== "end") {
    const key = parser.take();
    if (key.kind !== "word") throw new HclError(`error parsing: At ${key.line}: expected a key, found "${key.text}"`);
    if (parser.accept("=")) attributes[key.text] = parser.value();
    else if (parser.next.kind === "string") {
      const label = parser.take().text;
      parser.expect("{");
      blocks.push({ type: key.text, label, line: key.line, body: parser.body() });
    } else throw new HclError(`error parsing: At ${parser.next.line}: expected "=" or a block, found "${parser.next.text}"`);
  }
  return { attributes, blocks };
}

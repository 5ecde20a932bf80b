/**
 * The subset of Helm's templates that the lab's chart stand-ins are written in, so that a real helm renders the same:
 * fields, strings, numbers, pipelines, `if`/`else if`/`else`, `range`, `with`, comments, trim marks and the functions below.
 * Everything else is refused by name.
 */
import { HomelabError } from "../../common/errors";
import { portableYaml } from "../../common/yaml";

type Expression = { kind: "literal"; value: unknown } | { kind: "field"; root: boolean; path: string[] } | { kind: "call"; name: string; args: Expression[] };

type Node =
  | { kind: "text"; text: string }
  | { kind: "output"; expression: Expression }
  | { kind: "if" | "with" | "range"; branches: { condition: Expression; body: Node[] }[]; otherwise: Node[] };

const asText = (value: unknown): string => (value === undefined || value === null ? "" : typeof value === "object" ? JSON.stringify(value) : String(value));
const yamlOf = (value: unknown): string => portableYaml(value ?? null).replace(/\n$/, "");
const indent = (count: unknown, text: unknown): string =>
  asText(text)
    .split("\n")
    .map((line) => `${" ".repeat(Number(count))}${line}`)
    .join("\n");

/** Go's rule: nil, false, 0, "", and empty lists and maps are false. */
function truth(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === 0 || value === "") return false;
  if (Array.isArray(value)) return value.length > 0;
  return typeof value !== "object" || Object.keys(value).length > 0;
}

const FUNCTIONS = new Map<string, (...args: unknown[]) => unknown>([
  ["quote", (value) => JSON.stringify(asText(value))],
  ["default", (fallback, value) => (truth(value) ? value : fallback)],
  ["toYaml", (value) => yamlOf(value)],
  ["indent", (count, text) => indent(count, text)],
  ["nindent", (count, text) => `\n${indent(count, text)}`],
  ["eq", (value, ...others) => others.some((other) => other === value)],
  ["ne", (value, other) => value !== other],
  ["and", (...values) => values.find((value) => !truth(value)) ?? values.at(-1)],
  ["or", (...values) => values.find(truth) ?? values.at(-1)],
  ["not", (value) => !truth(value)],
  [
    "index",
    (value, ...keys) =>
      keys.reduce((node, key) => (typeof node === "object" && node !== null ? (node as Record<string, unknown>)[String(key)] : undefined), value),
  ],
  ["b64enc", (value) => Buffer.from(asText(value)).toString("base64")],
  [
    "fail",
    (message) => {
      throw new HomelabError("E_CHART_FAIL", asText(message));
    },
  ],
  [
    "required",
    (message, value) => {
      if (value === undefined || value === null || value === "") throw new HomelabError("E_CHART_FAIL", asText(message));
      return value;
    },
  ],
]);

const refuse = (what: string, file: string): HomelabError =>
  new HomelabError("E_CHART_TEMPLATE", `${file}: the lab's templates do not have ${what}`, {
    subject: file,
    hint: "write the stand-in with what lab/artefacts/template.ts lists",
  });

class ActionParser {
  readonly #tokens: string[];
  #at = 0;

  constructor(
    text: string,
    private readonly file: string,
  ) {
    const pattern = /\s+|("(?:[^"\\]|\\.)*"|`[^`]*`|-?\d+(?:\.\d+)?(?![\w.])|\$?(?:\.[\w]+)+|\$(?![\w.])|\.(?!\w)|[A-Za-z_]\w*|[()|])|([\s\S])/g;
    this.#tokens = [...text.matchAll(pattern)].flatMap(([, token, other]) => {
      if (other !== undefined) throw refuse(`"${text.trim()}"`, file);
      return token === undefined ? [] : [token];
    });
  }

  pipeline(): Expression {
    let value = this.#command();
    while (this.#tokens[this.#at] === "|") {
      this.#at++;
      const next = this.#command();
      if (next.kind !== "call") throw refuse("a pipe into something that is no function", this.file);
      value = { ...next, args: [...next.args, value] };
    }
    return value;
  }

  end(): void {
    if (this.#at < this.#tokens.length) throw refuse(`"${this.#tokens.slice(this.#at).join(" ")}" there`, this.file);
  }

  #command(): Expression {
    const first = this.#operand();
    if (first.kind !== "call" || first.args.length > 0) return first;
    const args: Expression[] = [];
    while (this.#at < this.#tokens.length && !["|", ")"].includes(this.#tokens[this.#at] ?? "")) args.push(this.#operand());
    return { ...first, args };
  }

  #operand(): Expression {
    const token = this.#tokens[this.#at++] ?? "";
    if (token === "(") {
      const inner = this.pipeline();
      if (this.#tokens[this.#at++] !== ")") throw refuse("an open parenthesis", this.file);
      // A call without arguments must not swallow what follows it.
      return inner.kind === "call" ? { kind: "call", name: "and", args: [inner] } : inner;
    }
    if (token.startsWith('"')) return { kind: "literal", value: JSON.parse(token) };
    if (token.startsWith("`")) return { kind: "literal", value: token.slice(1, -1) };
    if (/^-?\d/.test(token)) return { kind: "literal", value: Number(token) };
    if (token === "true" || token === "false") return { kind: "literal", value: token === "true" };
    if (token.startsWith("$") || token.startsWith("."))
      return {
        kind: "field",
        root: token.startsWith("$"),
        path: token
          .replace(/^\$/, "")
          .split(".")
          .filter((part) => part !== ""),
      };
    if (!FUNCTIONS.has(token)) throw refuse(`the function ${token}`, this.file);
    return { kind: "call", name: token, args: [] };
  }
}

function expressionOf(text: string, file: string): Expression {
  const parser = new ActionParser(text, file);
  const expression = parser.pipeline();
  parser.end();
  return expression;
}

/** @throws HomelabError E_CHART_TEMPLATE */
export function parseTemplate(source: string, file: string): Node[] {
  const parts = [...source.matchAll(/([\s\S]*?)(?:\{\{(-?)(\/\*[\s\S]*?\*\/|[\s\S]*?)(-?)\}\}|$)/g)];
  const root: Node[] = [];
  type Block = Extract<Node, { branches: unknown }>;
  const open: { node: Block; into: Node[] }[] = [];
  let into = root;
  let trimNext = false;
  for (const [, raw = "", left, action, right] of parts) {
    const text = [raw].map((t) => (trimNext ? t.trimStart() : t)).map((t) => (left === "-" ? t.trimEnd() : t))[0] ?? "";
    if (text !== "") into.push({ kind: "text", text });
    trimNext = right === "-";
    if (action === undefined) continue;
    const trimmed = action.trim();
    if (trimmed.startsWith("/*")) continue;
    const [, word = "", rest = ""] = /^(\w+)\b([\s\S]*)$/.exec(trimmed) ?? [];
    const block = open.at(-1);
    if (word === "if" || word === "range" || word === "with") {
      const node: Block = { kind: word, branches: [{ condition: expressionOf(rest, file), body: [] }], otherwise: [] };
      into.push(node);
      into = node.branches[0]?.body ?? [];
      open.push({ node, into });
    } else if (word === "else") {
      if (block === undefined) throw refuse("an else without if", file);
      const condition = /^\s+if\b([\s\S]*)$/.exec(rest)?.[1];
      if (condition === undefined) into = block.node.otherwise;
      else {
        const branch = { condition: expressionOf(condition, file), body: [] };
        block.node.branches.push(branch);
        into = branch.body;
      }
      block.into = into;
    } else if (word === "end") {
      if (open.pop() === undefined) throw refuse("an end without a block", file);
      into = open.at(-1)?.into ?? root;
    } else if (["define", "template", "include", "block", "break", "continue"].includes(word)) throw refuse(word, file);
    else into.push({ kind: "output", expression: expressionOf(trimmed, file) });
  }
  if (open.length > 0) throw refuse("a block without end", file);
  return root;
}

interface Scope {
  root: unknown;
  dot: unknown;
  file: string;
}

function evaluate(expression: Expression, scope: Scope): unknown {
  switch (expression.kind) {
    case "literal":
      return expression.value;
    case "field": {
      let value: unknown = expression.root ? scope.root : scope.dot;
      for (const key of expression.path) {
        if (value === undefined || value === null)
          throw new HomelabError("E_CHART_TEMPLATE", `${scope.file}: nil pointer evaluating interface {}.${key}`, { subject: scope.file });
        value = typeof value === "object" ? (value as Record<string, unknown>)[key] : undefined;
      }
      return value;
    }
    case "call":
      return FUNCTIONS.get(expression.name)?.(...expression.args.map((arg) => evaluate(arg, scope)));
  }
}

/** @param data what `.` and `$` are at the start */
export function renderTemplate(nodes: readonly Node[], data: unknown, file: string): string {
  const render = (list: readonly Node[], scope: Scope): string => list.map((node) => one(node, scope)).join("");
  const one = (node: Node, scope: Scope): string => {
    if (node.kind === "text") return node.text;
    if (node.kind === "output") return asText(evaluate(node.expression, scope));
    for (const { condition, body } of node.branches) {
      const value = evaluate(condition, scope);
      if (!truth(value)) continue;
      if (node.kind === "if") return render(body, scope);
      if (node.kind === "with") return render(body, { ...scope, dot: value });
      const items = Array.isArray(value)
        ? value
        : Object.entries(value as object)
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([, item]) => item);
      return items.map((item) => render(body, { ...scope, dot: item })).join("");
    }
    return render(node.otherwise, scope);
  };
  return render(nodes, { root: data, dot: data, file });
}

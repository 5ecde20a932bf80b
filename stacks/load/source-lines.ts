/** Where in a TypeScript file of the site a value is written. Loaded only where something is wrong: the parser is the compiler's. */
import * as fs from "node:fs";
import * as path from "node:path";
import type * as ts from "typescript";
import { projectRoot } from "../../common/paths";
import type { Path } from "./places";

/** The expression without parentheses and type assertions. */
function plain(compiler: typeof ts, node: ts.Expression): ts.Expression {
  if (compiler.isAsExpression(node) || compiler.isParenthesizedExpression(node) || compiler.isSatisfiesExpression(node))
    return plain(compiler, node.expression);
  return node;
}

function step(compiler: typeof ts, node: ts.Expression, key: string | number): { at: ts.Node; value: ts.Expression } | undefined {
  const value = plain(compiler, node);
  if (typeof key === "number" && compiler.isArrayLiteralExpression(value)) {
    const element = value.elements[key];
    return element === undefined ? undefined : { at: element, value: element };
  }
  if (!compiler.isObjectLiteralExpression(value)) return undefined;
  for (const property of value.properties) {
    if (property.name === undefined || !("text" in property.name) || property.name.text !== String(key)) continue;
    if (compiler.isPropertyAssignment(property)) return { at: property, value: property.initializer };
    if (compiler.isShorthandPropertyAssignment(property)) return { at: property, value: property.name };
  }
  return undefined;
}

/** The first argument of the file's call of a function: what it declares. */
function declared(compiler: typeof ts, source: ts.SourceFile, call: string): ts.Expression | undefined {
  let found: ts.Expression | undefined;
  const visit = (node: ts.Node): void => {
    if (found === undefined && compiler.isCallExpression(node) && node.expression.getText(source) === call) [found] = node.arguments;
    compiler.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/**
 * Where a stack stands in the matrix, for the beginning of a message.
 * @param root of the checkout
 * @returns `site/stacks.ts:41: `, or without the line where the file does not name the stack
 */
export function stackPlace(root: string, stack: string, ...keys: readonly string[]): string {
  const file = "site/stacks.ts";
  const lineOf = sourceLines(file, "defineStacks", root);
  return lineOf([stack]) === lineOf([]) ? `${file}: ` : `${file}:${lineOf([stack, ...keys])}: `;
}

/**
 * Lines of what a file declares.
 * @param file from the checkout's folder, such as `site/stacks.ts`
 * @param call the function that declares it, such as `defineStacks`
 * @param root of the checkout
 * @returns the line, from 1, of the innermost literal on the path of the keys
 */
export function sourceLines(file: string, call: string, root: string = projectRoot()): (keys: Path) => number {
  const compiler = require("typescript") as typeof ts;
  const full = path.join(root, file);
  if (!fs.existsSync(full)) return () => 1;
  const source = compiler.createSourceFile(full, fs.readFileSync(full, "utf8"), compiler.ScriptTarget.Latest, true);
  return (keys) => {
    let value = declared(compiler, source, call);
    let at: ts.Node | undefined = value;
    for (const key of keys) {
      const next: ReturnType<typeof step> = value === undefined ? undefined : step(compiler, value, key);
      if (next === undefined) break;
      at = next.at;
      value = next.value;
    }
    return at === undefined ? 1 : source.getLineAndCharacterOfPosition(at.getStart(source)).line + 1;
  };
}

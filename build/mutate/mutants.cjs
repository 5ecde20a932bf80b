// The mutants of a source file: small changes that some test should notice. Only what decides about resources is changed: values,
// members of objects and elements of lists (a `dependsOn`, a `provider`, an argument of a chart), and the two sides of a choice.
"use strict";
const ts = require("typescript");

/** Texts that no test can or should hold: messages, imports, types. */
function isOutOfScope(node) {
  for (let at = node.parent; at !== undefined; at = at.parent) {
    if (ts.isImportDeclaration(at) || ts.isExportDeclaration(at) || ts.isTypeNode(at) || ts.isThrowStatement(at)) return true;
    if (ts.isNewExpression(at) && /Error$/.test(at.expression.getText())) return true;
    if (ts.isCallExpression(at) && /^(z\.|.*\.(describe|meta|regex|refine)$)/.test(at.expression.getText())) return true;
  }
  return false;
}

const nameOf = (member) => (member.name === undefined ? member.getText().slice(0, 60) : member.name.getText());

/** Cuts an element out of a list, with the comma behind it, or before it where it is the last. */
function without(list, index) {
  const element = list[index];
  if (index + 1 < list.length) return [element.getStart(), list[index + 1].getStart(), ""];
  if (index > 0) return [list[index - 1].getEnd(), element.getEnd(), ""];
  return [element.getStart(), element.getEnd(), ""];
}

/** @returns `[from, to, replacement, what]` of each */
function edits(file) {
  const found = [];
  const add = (edit, what) => found.push([...edit, what]);
  const over = (node, text) => [node.getStart(), node.getEnd(), text];
  const visit = (node) => {
    if (ts.isImportDeclaration(node) || ts.isTypeNode(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) return;
    if (!isOutOfScope(node)) {
      if (ts.isObjectLiteralExpression(node)) {
        for (const [index, member] of node.properties.entries()) add(without(node.properties, index), `${nameOf(member)} left out`);
      } else if (ts.isArrayLiteralExpression(node)) {
        for (const [index, element] of node.elements.entries()) add(without(node.elements, index), `element ${element.getText().slice(0, 40)} left out`);
      } else if (ts.isStringLiteral(node) && node.parent.name !== node && node.text !== "")
        add(over(node, JSON.stringify(`${node.text}-mutated`)), `${node.getText()} changed`);
      else if (ts.isNumericLiteral(node) && node.parent.name !== node) add(over(node, String(Number(node.text) + 1)), `${node.text} changed`);
      else if (node.kind === ts.SyntaxKind.TrueKeyword) add(over(node, "false"), "true turned");
      else if (node.kind === ts.SyntaxKind.FalseKeyword) add(over(node, "true"), "false turned");
      else if (ts.isConditionalExpression(node)) {
        add(over(node, `(${node.whenTrue.getText()})`), "always the first side of the choice");
        add(over(node, `(${node.whenFalse.getText()})`), "always the second side of the choice");
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

/** @returns `{ line, what, text }` of each, `text` being the whole file */
function mutantsOf(name, text) {
  const file = ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true);
  const seen = new Set();
  return edits(file).flatMap(([from, to, replacement, what]) => {
    const mutated = text.slice(0, from) + replacement + text.slice(to);
    if (mutated === text || seen.has(mutated)) return [];
    seen.add(mutated);
    return [{ line: file.getLineAndCharacterOfPosition(from).line + 1, what, text: mutated }];
  });
}

module.exports = { mutantsOf };

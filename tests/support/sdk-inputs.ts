/** Every input of a resource type, read from the type declarations of the SDK's package, so that none is forgotten. */
import * as fs from "node:fs";
import * as path from "node:path";
import ts from "typescript";
import { projectRoot } from "../../common/paths";

type Kind = "string" | "number" | "boolean" | "list" | "map" | "block" | "any";

export interface SdkInput {
  /** Property path; `[]` stands for the elements of a list: `disks[].size`. */
  path: string;
  required: boolean;
  /** The kind of the property, or of the elements of a list of blocks. */
  kind: Kind;
  /** The kind of the elements of a list or a map. */
  element?: Kind;
}

type Members = Map<string, ts.InterfaceDeclaration>;

const parse = (file: string): ts.SourceFile => ts.createSourceFile(file, fs.readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true);

/** Interfaces by name; those in namespaces as `a.b.Name`. */
function interfacesOf(node: ts.Node, prefix: string, into: Members): Members {
  ts.forEachChild(node, (child) => {
    if (ts.isInterfaceDeclaration(child)) into.set(`${prefix}${child.name.text}`, child);
    else if (ts.isModuleDeclaration(child) && child.body !== undefined) interfacesOf(child.body, `${prefix}${child.name.text}.`, into);
  });
  return into;
}

/** The type without `Input<…>`, `undefined` and the like. */
function bare(type: ts.TypeNode): ts.TypeNode {
  if (ts.isParenthesizedTypeNode(type)) return bare(type.type);
  if (ts.isUnionTypeNode(type)) {
    const [first] = type.types.filter((part) => part.kind !== ts.SyntaxKind.UndefinedKeyword && part.kind !== ts.SyntaxKind.NullKeyword);
    return first === undefined ? type : bare(first);
  }
  const [argument] = ts.isTypeReferenceNode(type) && /\.(Input|Output)$/.test(type.typeName.getText()) ? (type.typeArguments ?? []) : [];
  return argument === undefined ? type : bare(argument);
}

class Walk {
  readonly found: SdkInput[] = [];

  constructor(
    private readonly blocks: Members,
    private readonly depth: number,
  ) {}

  #blockOf(type: ts.TypeNode): ts.InterfaceDeclaration | undefined {
    return ts.isTypeReferenceNode(type) ? this.blocks.get(type.typeName.getText().replace(/^inputs\./, "")) : undefined;
  }

  #kindOf(type: ts.TypeNode): Kind {
    if (type.kind === ts.SyntaxKind.StringKeyword) return "string";
    if (type.kind === ts.SyntaxKind.NumberKeyword) return "number";
    if (type.kind === ts.SyntaxKind.BooleanKeyword) return "boolean";
    if (ts.isArrayTypeNode(type)) return "list";
    if (ts.isTypeLiteralNode(type)) return "map";
    if (this.#blockOf(type) !== undefined) return "block";
    // Enumerations are strings.
    return ts.isTypeReferenceNode(type) && type.typeName.getText().startsWith("enums.") ? "string" : "any";
  }

  members(declaration: ts.InterfaceDeclaration, prefix: string): void {
    for (const member of declaration.members) {
      if (!ts.isPropertySignature(member) || member.type === undefined || !ts.isIdentifier(member.name)) continue;
      const at = `${prefix}${member.name.text}`;
      const type = bare(member.type);
      const inner = ts.isArrayTypeNode(type) ? bare(type.elementType) : type;
      const kind = this.#kindOf(type);
      const element = ts.isArrayTypeNode(type) ? this.#kindOf(inner) : undefined;
      this.found.push({ path: at, required: member.questionToken === undefined, kind, ...(element === undefined ? {} : { element }) });
      const block = this.#blockOf(inner);
      if (block !== undefined && prefix.split(".").length < this.depth) this.members(block, ts.isArrayTypeNode(type) ? `${at}[].` : `${at}.`);
    }
  }
}

const known = new Map<string, Members>();

/** All blocks of a package. They are parsed once, since the file of Kubernetes has megabytes. */
function blocksOf(folder: string): Members {
  const blocks = known.get(folder) ?? interfacesOf(parse(path.join(folder, "types", "input.d.ts")), "", new Map());
  known.set(folder, blocks);
  return blocks;
}

/**
 * @param sdk name of the npm package
 * @param module file of the type within it, for example `kv/secretV2`
 * @param args name of its interface of inputs, for example `SecretV2Args`
 * @param depth the depth of blocks, for recursive types; default: unlimited
 */
export function sdkInputs(sdk: string, module: string, args: string, depth = Number.POSITIVE_INFINITY): SdkInput[] {
  const folder = path.join(projectRoot(), "node_modules", sdk);
  const declaration = interfacesOf(parse(path.join(folder, `${module}.d.ts`)), "", new Map()).get(args);
  if (declaration === undefined) throw new Error(`${sdk}/${module} has no ${args}`);
  const walk = new Walk(blocksOf(folder), depth);
  walk.members(declaration, "");
  return walk.found;
}

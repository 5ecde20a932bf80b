/** Which compiled files and packages decide what a stack's program builds, beside its plan. Reads files; loads none of them. */
import * as fs from "node:fs";
import * as path from "node:path";
import { z } from "zod";

/** Files that build resources, and that read and write outputs. Those that make the plan are left out: their result is in the plan. */
const ENTRIES = ["stacks/build/stack.js", "stacks/build/secret-reader.js", "stacks/outputs/stack-outputs.js", "stacks/outputs/upstream.js"];
const REQUIRE = /\brequire\("([^"]+)"\)/g;
/** Roles of hosts are left out: their scripts are in the plan. Except two from which other files import paths. */
const ROLE = /^ansible-replacements\/(operations|roles)\/(?!k3s-server|kubeadm-shared)/;
/** The file by which the catalogue imports a module of the platform. */
const MODULE = /^components\/platform\/([^/]+)\/module\.js$/;

export interface ProgramFiles {
  /** Below bin/. */
  files: ReadonlySet<string>;
  /** Names on npm. */
  packages: ReadonlySet<string>;
}

const packageOf = (name: string): string => name.split("/", name.startsWith("@") ? 2 : 1).join("/");

function resolved(bin: string, from: string, name: string): string {
  const base = path.posix.join(path.posix.dirname(from), name);
  const found = [base, `${base}.js`, `${base}/index.js`].find((file) => fs.statSync(path.join(bin, file), { throwIfNoEntry: false })?.isFile() === true);
  if (found === undefined) throw new Error(`bin/${from} loads ${name}, which is not there`);
  return found;
}

/** One reading of the compiled program, for all stacks. */
export class ProgramText {
  readonly #bin: string;
  readonly #edges = new Map<string, { files: string[]; packages: string[] }>();

  /** @param root of the checkout */
  constructor(private readonly root: string) {
    this.#bin = path.join(root, "bin");
  }

  #edgesOf(file: string): { files: string[]; packages: string[] } {
    const known = this.#edges.get(file);
    if (known !== undefined) return known;
    const names = [...this.text(file).matchAll(REQUIRE)].flatMap(([, name]) => name ?? []);
    const isOwn = (name: string): boolean => name.startsWith(".");
    const edges = {
      files: names.filter(isOwn).map((name) => resolved(this.#bin, file, name)),
      packages: names.filter((name) => !isOwn(name) && !name.startsWith("node:")).map(packageOf),
    };
    this.#edges.set(file, edges);
    return edges;
  }

  text(file: string): string {
    return fs.readFileSync(path.join(this.#bin, file), "utf8");
  }

  /** @param modules of the platform that the stack has. Files of other modules are left out */
  of(modules: ReadonlySet<string>): ProgramFiles {
    const files = new Set<string>();
    const packages = new Set<string>();
    const visit = (file: string): void => {
      const module = MODULE.exec(file)?.[1];
      if (files.has(file) || ROLE.test(file) || (module !== undefined && !modules.has(module))) return;
      files.add(file);
      const edges = this.#edgesOf(file);
      for (const name of edges.packages) packages.add(name);
      for (const next of edges.files) visit(next);
    };
    for (const entry of ENTRIES) visit(entry);
    return { files, packages };
  }

  /** Version and checksum of these packages and of what they need, by path in node_modules. */
  installed(packages: ReadonlySet<string>): Map<string, string> {
    const lock = lockSchema.parse(JSON.parse(fs.readFileSync(path.join(this.root, "package-lock.json"), "utf8"))).packages;
    const found = new Map<string, string>();
    const visit = (name: string, from: string): void => {
      // As Node looks: in the folder of the package that asks, and in those above it.
      const places = [...from.matchAll(/(?:^|\/)node_modules\//g)].map(({ index }) => from.slice(0, index)).filter((base) => base !== "");
      const at = [from, ...places.toReversed(), ""]
        .map((base) => `${base === "" ? "" : `${base}/`}node_modules/${name}`)
        .find((place) => lock[place] !== undefined);
      const entry = at === undefined ? undefined : lock[at];
      if (at === undefined || entry === undefined || found.has(at)) return;
      found.set(at, `${entry.version ?? ""} ${entry.integrity ?? ""}`);
      for (const dependency of Object.keys({ ...entry.dependencies, ...entry.optionalDependencies, ...entry.peerDependencies })) visit(dependency, at);
    };
    for (const name of packages) visit(name, "");
    return found;
  }
}

const names = z.record(z.string(), z.string()).optional();
const lockSchema = z.looseObject({
  packages: z.record(
    z.string(),
    z.looseObject({
      version: z.string().optional(),
      integrity: z.string().optional(),
      dependencies: names,
      optionalDependencies: names,
      peerDependencies: names,
    }),
  ),
});

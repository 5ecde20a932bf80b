/**
 * `node bin/stacks/inputs.js`: digests of what each stack is built from, for `homelab up --affected`. Takes `{"key":"…"}` on standard
 * input and prints JSON. Every digest is keyed, because it is made from secrets and settings too. Errors as in describe.ts.
 */
import { createHmac } from "node:crypto";
import { z } from "zod";
import { projectRoot } from "../common/paths";
import { loadSecrets, type OpenedSecrets, ownPaths } from "../secrets/load";
import { runChild } from "./child";
import { loadEstate } from "./load/estate";
import { stackFacts } from "./load/stacks";
import { type Consumed, consumedOf, planParts } from "./plan/inputs";
import { planEstate, type StackPlan } from "./plan/plan";
import { ProgramText } from "./program-files";

const questionSchema = z.strictObject({ key: z.string().min(1) });

export interface StackInputs extends ReturnType<typeof stackFacts> {
  consumes: readonly Consumed[];
  /** By name: `program components/base/helm-release`, `vm <name>`, `secret minio`, `packages`. */
  inputs: Readonly<Record<string, string>>;
}

/** The value with the keys of maps and objects in a fixed order. Functions are left out: their code is among the program's files. */
function canonical(value: unknown): unknown {
  if (value instanceof Map) return canonical(Object.fromEntries(value));
  if (value instanceof Set) return [...value].map(canonical);
  if (Array.isArray(value)) return value.map(canonical);
  if (value instanceof RegExp) return String(value);
  if (typeof value !== "object" || value === null) return typeof value === "function" ? undefined : value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, canonical(item)]),
  );
}

type Digest = (value: unknown) => string;

const DIGEST_LENGTH = 24;

function digestWith(key: string): Digest {
  const root = projectRoot();
  return (value) =>
    createHmac("sha256", `homelab inputs ${key}`)
      .update((JSON.stringify(canonical(value)) ?? "").replaceAll(root, "<checkout>"))
      .digest("hex")
      .slice(0, DIGEST_LENGTH);
}

async function secretDigests({ stack, secrets }: StackPlan, digest: Digest, opened: OpenedSecrets): Promise<[string, string][]> {
  const only = secrets === "all" ? undefined : [...new Set([...secrets, ...ownPaths(stack.name)])];
  const entries = await loadSecrets({ environment: stack.name, only, opened });
  // Names are paths below secrets/, values are digests under the key.
  return [...entries].map(([name, entry]) => [`secret ${name}`, digest(entry)]);
}

/** What is computed once for all stacks. */
interface Known {
  /** Digests by file of the program. */
  files: Map<string, string>;
  opened: OpenedSecrets;
}

async function inputsOf(plan: StackPlan, text: ProgramText, digest: Digest, { files, opened }: Known): Promise<Record<string, string>> {
  const used = text.of(new Set(plan.platform.modules.map(({ name }) => name)));
  const ofFile = (file: string): string => {
    const known = files.get(file) ?? digest(text.text(file));
    files.set(file, known);
    return known;
  };
  return Object.fromEntries([
    ...Object.entries(planParts(plan)).map(([name, part]): [string, string] => [name, digest(part)]),
    ...[...used.files].map((file): [string, string] => [`program ${file.slice(0, -".js".length)}.ts`, ofFile(file)]),
    ["packages", digest([...text.installed(used.packages)].toSorted())],
    ...(await secretDigests(plan, digest, opened)),
  ]);
}

/** @throws HomelabError of a site that cannot be planned, and of secrets that do not open */
export async function stackInputs(key: string): Promise<StackInputs[]> {
  const plans = planEstate(loadEstate());
  const [text, digest, known] = [new ProgramText(projectRoot()), digestWith(key), { files: new Map(), opened: new Map() }];
  const found: StackInputs[] = [];
  for (const plan of plans.values()) {
    found.push({ ...stackFacts(plan.stack), consumes: consumedOf(plan), inputs: await inputsOf(plan, text, digest, known) });
  }
  return found;
}

if (require.main === module) runChild(async (input) => ({ version: 1, stacks: await stackInputs(questionSchema.parse(JSON.parse(input)).key) }));

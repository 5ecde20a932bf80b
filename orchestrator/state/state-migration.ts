/**
 * Moves stacks from one state backend to another through the engine's own `stack export` and `stack import`, so that it works with
 * either engine and between any two backends. The source is left as it is; what was moved is read back and compared.
 */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { z } from "zod";
import { answered } from "../../common/answer";
import { counted, countedOf } from "../../common/counted";
import { HomelabError } from "../../common/errors";
import { writeFileAtomic } from "../../common/files";
import { listedStacks } from "../target/engine";
import { engineAnswer } from "../target/engine-answer";
import { besideRuns } from "../target/site";

/** Runs one command of the engine on a backend; resolves with its standard output. */
export type EngineRun = (backend: string, args: readonly string[]) => Promise<string>;

const deploymentSchema = z.looseObject({
  manifest: z.unknown(),
  secrets_providers: z.unknown(),
  resources: z.array(z.unknown()).nullish(),
  pending_operations: z.array(z.unknown()).nullish(),
});
const exportSchema = z.looseObject({ deployment: deploymentSchema.partial() });
const recordSchema = z.object({
  version: z.literal(1),
  from: z.string(),
  to: z.string(),
  stacks: z.record(z.string(), z.object({ resources: z.number(), sha256: z.string() })),
});

export type MigrationRecord = z.infer<typeof recordSchema>;

const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  );
};

/** What must be the same on both sides: resources and pending operations with their secrets in the clear (in memory only). */
function fingerprint(exported: string): { resources: number; sha256: string; pending: number } {
  const { resources, pending_operations: pending } = engineAnswer(exportSchema, exported, "stack export").deployment;
  const text = JSON.stringify(sorted({ resources: resources ?? [], pending: pending ?? [] }));
  return { resources: resources?.length ?? 0, pending: pending?.length ?? 0, sha256: createHash("sha256").update(text).digest("hex") };
}

const lockedIn = (stack: string, backend: string): HomelabError =>
  new HomelabError("E_STATE_MIGRATION", `stack ${stack} is locked in ${backend}`, {
    subject: stack,
    hint: "wait for the run to end, or free it with `pulumi cancel`",
  });

export class StateMigration {
  constructor(
    private readonly run: EngineRun,
    private readonly say: (line: string) => void,
  ) {}

  async #stacks(backend: string): Promise<Map<string, boolean>> {
    const list = await listedStacks((words) => this.run(backend, words));
    return new Map(list.map(({ name, updateInProgress }) => [name, updateInProgress === true]));
  }

  async #look(backend: string, stack: string): Promise<ReturnType<typeof fingerprint>> {
    return fingerprint(await this.run(backend, ["stack", "export", "--show-secrets", "--stack", stack]));
  }

  /** Secrets stay encrypted on their way. */
  async #copy(from: string, to: string, stack: string): Promise<void> {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-state-"));
    try {
      const file = path.join(dir, "state.json");
      await this.run(from, ["stack", "export", "--stack", stack, "--file", file]);
      await this.run(to, ["stack", "import", "--stack", stack, "--file", file]);
    } finally {
      fs.rmSync(dir, { recursive: true, force: true });
    }
  }

  async #verify(backend: string, stack: string, expected: { resources: number; sha256: string }): Promise<void> {
    const found = await this.#look(backend, stack);
    if (found.sha256 === expected.sha256) return;
    throw new HomelabError(
      "E_STATE_MIGRATION",
      `stack ${stack}: what ${backend} gives back is not what was moved (${countedOf(found.resources, expected.resources, "resource")})`,
      {
        subject: stack,
        hint: "the source was not touched: go on with it",
      },
    );
  }

  /**
   * @param wanted empty = all stacks of the source
   * @throws HomelabError before anything is written where a stack is locked, in doubt, or there already with another state
   */
  async migrate(from: string, to: string, wanted: readonly string[]): Promise<MigrationRecord> {
    const [sources, targets] = [await this.#stacks(from), await this.#stacks(to)];
    const stacks = wanted.length === 0 ? [...sources.keys()] : wanted;
    const record: MigrationRecord = { version: 1, from, to, stacks: {} };
    const there = new Set<string>();
    for (const stack of stacks) {
      const refuse = (why: string, hint: string): never => {
        throw new HomelabError("E_STATE_MIGRATION", `stack ${stack} ${why}`, { subject: stack, hint });
      };
      if (!sources.has(stack)) refuse(`is not in ${from}`, `it has: ${[...sources.keys()].join(", ") || "no stacks"}`);
      if (sources.get(stack) === true) throw lockedIn(stack, from);
      const { resources, sha256, pending } = await this.#look(from, stack);
      if (pending > 0) refuse("has pending operations", "run `homelab refresh`, look at them, then migrate");
      record.stacks[stack] = { resources, sha256 };
      if (!targets.has(stack)) continue;
      const found = await this.#look(to, stack);
      if (found.sha256 === sha256) there.add(stack);
      else if (found.resources > 0 || found.pending > 0)
        refuse(`is in ${to} already, with another state (${counted(found.resources, "resource")})`, "remove it there first");
    }
    for (const [stack, facts] of Object.entries(record.stacks)) {
      if (!there.has(stack)) {
        if (!targets.has(stack)) await this.run(to, ["stack", "init", stack, "--no-select"]);
        await this.#copy(from, to, stack);
      }
      await this.#verify(to, stack, facts);
      this.say(`${stack}: ${facts.resources} resources, sha256 ${facts.sha256.slice(0, 16)}, the same on both sides`);
    }
    return record;
  }

  /**
   * Goes back to the source: what changed in the target since is copied back first, then the target's stacks are removed.
   * @throws HomelabError before anything is written where a run holds a stack on either side
   */
  async back({ from, to, stacks }: MigrationRecord): Promise<void> {
    const [sources, targets] = [await this.#stacks(from), await this.#stacks(to)];
    for (const stack of Object.keys(stacks)) {
      const held = targets.get(stack) === true ? to : sources.get(stack) === true ? from : undefined;
      if (held !== undefined) throw lockedIn(stack, held);
    }
    for (const [stack, moved] of Object.entries(stacks)) {
      if (!targets.has(stack)) {
        this.say(`${stack}: is not in ${to} any more; ${from} has it as it was`);
        continue;
      }
      const now = await this.#look(to, stack);
      if (now.sha256 !== moved.sha256) await this.#copy(to, from, stack);
      await this.#verify(from, stack, now);
      await this.run(to, ["stack", "rm", stack, "--yes", "--force", "--preserve-config"]);
      this.say(`${stack}: ${now.resources} resources are back in ${from}`);
    }
  }
}

/** Which migration the site can go back from. */
export const migrationRecord = (runsDir: string): string => besideRuns(runsDir, "state-migration.json");

export const writeRecord = (file: string, record: MigrationRecord): void => {
  fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  writeFileAtomic(file, `${JSON.stringify(record, null, 2)}\n`);
};

/** @throws HomelabError where nothing was migrated */
export function readRecord(file: string): MigrationRecord {
  if (!fs.existsSync(file)) throw new HomelabError("E_STATE_MIGRATION", `there is no migration to go back from (${file})`);
  return answered(recordSchema, fs.readFileSync(file, "utf8"), {
    from: file,
    code: "E_STATE_MIGRATION",
    hint: "it was changed since the migration wrote it: take the states back by `homelab state restore` from a copy (docs/state.md)",
  });
}

/**
 * A sample of the fuzz test's cases (tests/lifecycle/fuzz-model.ts) run by the CLI and by the embedded engine: after each operation exit code,
 * steps, errors, what the provider was asked and the state are equal, up to {@link KNOWN}. FUZZ_CASES=<n> runs more of them, FUZZ_SEED=<seed>
 * others.
 */
import * as fc from "fast-check";
import { readEnv } from "../../../common/env";
import { behaviourOf, type Operation, PROVIDERS, plainOperations } from "../../lifecycle/fuzz-model";
import { type EngineAnswer, EngineSide } from "../../support/engine-side";
import { urn } from "../../support/engine-world";
import { EMBEDDED } from "../../support/real-cli";
import { describeReal } from "../../support/real-parts";
import { type Entry, grouped, type Json, Normaliser } from "./normalise";

const CASES = Number(readEnv("FUZZ_CASES") ?? 25);
const SEED = Number(readEnv("FUZZ_SEED") ?? 20261129);
const LIMIT_MS = 300_000;

const urnOf = (name: string): string => urn(name, PROVIDERS.includes(name) ? "pulumi:providers:exp" : undefined);

/** An operation's flags. What the stack does not have is not named, other than by an update, whose program may bring it. */
function flagsOf(operation: Operation, known: readonly string[]): string[] {
  const urns = (name: string | undefined, always: boolean): string[] => (name === undefined || !(always || known.includes(urnOf(name))) ? [] : [urnOf(name)]);
  const { kind, target, exclude, replace, dependents, continueOnError, refresh } = operation;
  const targets = urns(target, kind === "up");
  const excludes = target === undefined ? urns(exclude, kind === "up") : [];
  const replaces = kind === "up" || kind === "preview" ? urns(replace, false) : [];
  return [
    ...targets.flatMap((one) => ["--target", one]),
    ...excludes.flatMap((one) => ["--exclude", one]),
    ...replaces.flatMap((one) => ["--replace", one]),
    ...(dependents && kind !== "refresh" && targets.length > 0 ? ["--target-dependents"] : []),
    ...(dependents && kind !== "refresh" && excludes.length > 0 ? ["--exclude-dependents"] : []),
    ...(continueOnError && (kind === "up" || kind === "destroy") ? ["--continue-on-error"] : []),
    ...(refresh && kind !== "refresh" ? ["--refresh"] : []),
    ...["--parallel", "1"],
  ];
}

const ASKED = new Set(["Check", "Create", "Update", "Delete", "Read"]);

interface Performed {
  seen: Json;
  /** All errors that the engine printed. */
  said: string;
}

/** After one of these a case ends, since the two states can no longer be compared. */
const KNOWN: readonly { reason: string; holds: (operation: Operation, cli: string, embedded: string) => boolean }[] = [
  {
    reason: "the CLI breaks its own state where a limited update leaves out what a provider needs; ours refuses the update, or goes on",
    holds: (_operation, cli, embedded) => /snapshot integrity (error|failure)/.test(cli) && !/integrity/.test(embedded),
  },
  {
    reason: "with --refresh the CLI looks for targets before the program runs, so that none may be new; ours looks for them after it, as without",
    holds: ({ kind, refresh }, cli, embedded) => kind === "up" && refresh && NOT_FOUND.test(cli) && !NOT_FOUND.test(embedded),
  },
  {
    reason:
      "the CLI refuses a limited update whose program gives a resource that it leaves out another provider; ours leaves that resource its own, and refuses, by the same words, only where the program registers that provider later",
    holds: (_operation, cli, embedded) => PROVIDERS_CHANGED.test(cli) && !/Duplicate resource URN/.test(embedded),
  },
];
const PROVIDERS_CHANGED = /this is due to a change of providers mixed with --target/;
const NOT_FOUND = /Target '.*' could not be found in the stack/;

async function perform(side: EngineSide, operation: Operation): Promise<Performed> {
  side.provider.behaviour = behaviourOf(operation.mishaps, () => true);
  side.provider.calls.splice(0);
  const known = side.state().resources.map((resource) => resource.urn as string);
  const ends = operation.throws && operation.kind === "up" ? { throws: "boom" } : undefined;
  // Without versions: where the program's language names no plugins, the CLI's default provider takes its version from the state's
  // providers and is called after it (`default_1_0_0`); ours takes the program's alone.
  const program = operation.program.map(({ version: _version, ...resource }) => resource);
  const answer = await side.run(operation.kind, program, flagsOf(operation, known), ends);
  const calls = side.provider.calls
    .filter(({ method }) => ASKED.has(method))
    .map(({ method, name, id, preview }) => ({ method, urn: name, ...(id === undefined ? {} : { id }), ...(preview ? { preview } : {}) }));
  const { resources, pendingOperations } = side.state();
  const normaliser = new Normaliser("<none>", "test");
  normaliser.learn(resources as unknown as Entry[]);
  const seen = normaliser.apply({
    exitCode: answer.exitCode,
    steps: grouped(stepsOf(answer)) as unknown as Json,
    changes: answer.events.find((event) => event.summaryEvent)?.summaryEvent?.resourceChanges ?? {},
    errors: answer.events.flatMap(({ diagnosticEvent: d }) => (d?.severity === "error" ? [d.urn ?? ""] : [])).sort(),
    calls: grouped(calls) as unknown as Json,
    resources: grouped(resources as unknown as Entry[]) as unknown as Json,
    pending: pendingOperations as unknown as Json,
  });
  const errors = answer.events.flatMap(({ diagnosticEvent: d }) => (d?.severity === "error" ? [d.message] : []));
  return { seen, said: [answer.stderr, ...errors].join("\n") };
}

function stepsOf({ events }: EngineAnswer): Entry[] {
  return events.flatMap(({ resourcePreEvent: event }) => (event === undefined ? [] : [{ op: event.metadata.op, urn: event.metadata.urn } as Entry]));
}

describeReal(["pulumi"], "cases of the fuzz test, by both engines", (pathOf) => {
  const cases = fc.sample(plainOperations, { numRuns: CASES, seed: SEED });
  const met = new Set<string>();
  let compared = 0;
  test.each(cases.map((all, index): [number, Operation[]] => [index, all]))(
    "case %i",
    async (_index, all) => {
      const [cli, embedded] = await Promise.all([EngineSide.start(pathOf("pulumi")), EngineSide.start(EMBEDDED)]);
      try {
        for (const operation of all) {
          const [theirs, ours] = await Promise.all([perform(cli, operation), perform(embedded, operation)]);
          const known = KNOWN.find(({ holds }) => holds(operation, theirs.said, ours.said));
          if (known !== undefined) {
            met.add(known.reason);
            return;
          }
          const { kill: _kill, ...told } = operation;
          // Both messages and the operation are shown beside a difference.
          const beside = { operation: told, said: { cli: theirs.said, embedded: ours.said } };
          expect({ seen: ours.seen, ...beside }).toEqual({ seen: theirs.seen, ...beside });
          compared += 1;
        }
      } finally {
        cli.close();
        embedded.close();
      }
    },
    LIMIT_MS,
  );

  test("most operations were compared to their end, and each known difference is one still", () => {
    // Another sample than the default one may show none of them.
    if (readEnv("FUZZ_CASES") !== undefined || readEnv("FUZZ_SEED") !== undefined) return;
    expect([...met].toSorted()).toEqual(KNOWN.map(({ reason }) => reason).toSorted());
    expect(compared).toBeGreaterThan(CASES);
  });
});

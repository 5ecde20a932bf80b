/** Gives the same inputs to our Kubernetes provider and to the official one, on one real API, and compares their answers. */
import * as path from "node:path";
import { kindOfToken } from "../../../../providers/kubernetes/object/identity";
import { provider } from "../../../../providers/kubernetes/provider";
import type { Values } from "../../../../providers/sdk/values";
import type { KubernetesPrograms } from "../../../support/real-kubernetes";
import { TestProvider } from "../../../support/test-provider";
import { type KubernetesUnderTest, startRealApi } from "../under-test";
import { differences, type Plain, Recorded } from "./answers";
import { KNOWN, type KnownDifference } from "./known";
import { startOfficial, startTestEngine, type TestEngine } from "./official-provider";

export const RELEASE = "kubernetes:helm.sh/v3:Release";

/** Steps that are run once with each provider. */
export interface Case {
  title: string;
  run(side: Side): Promise<void>;
}

/** One provider in one case. */
export interface Side {
  /** Text in the names and namespaces of this side. Both sides' marks have one length, and sort alike against other names. */
  mark: string;
  plugin: TestProvider;
  /** Where an engine finds this provider. */
  pluginFolder: string;
  record: Recorded;
  api: KubernetesUnderTest;
  /** Starts one more provider of this side, with other settings. The caller closes it. */
  start(config: Values): Promise<TestProvider>;
}

/** Adds the API version and the kind to the inputs of every object, as the SDK does. A release has neither. */
function asSdk(plugin: TestProvider): TestProvider {
  const check = plugin.check.bind(plugin);
  plugin.check = (type, news, ...rest) => check(type, type === RELEASE ? news : { ...kindOfToken(type), ...news }, ...rest);
  return plugin;
}

const OURS = path.resolve("providers/kubernetes");
const MARKS = { ours: "xoursx", theirs: "xtheix" } as const;
const PARTS = ["kube-apiserver", "etcd", "pulumi-kubernetes"] as const;

export { PARTS as BESIDE_PARTS };

export class Bench {
  /** Entries of KNOWN that a case of this suite needed. */
  readonly #needed = new Set<KnownDifference>();
  readonly #compared = new Set<string>();

  private constructor(
    private readonly suite: KnownDifference["suites"][number],
    readonly api: KubernetesUnderTest,
    private readonly engine: TestEngine,
    private readonly program: string,
    private readonly plugins: { ours: TestProvider; theirs: TestProvider },
  ) {}

  /**
   * @param suite the entries of KNOWN for this suite apply
   * @param more the part "kube-controller-manager", for cases in which a deletion waits for the garbage collector as in a cluster
   */
  static async start(
    suite: KnownDifference["suites"][number],
    pathOf: (name: (typeof PARTS)[number]) => string,
    more: Pick<KubernetesPrograms, "controllerManager"> = {},
  ): Promise<Bench> {
    const api = await startRealApi(pathOf, more);
    const engine = await startTestEngine();
    const program = pathOf("pulumi-kubernetes");
    const config = { kubeconfig: api.kubeconfig };
    const ours = asSdk(await TestProvider.start(provider, config));
    const theirs = asSdk(await startOfficial(program, engine.address, config));
    for (const mark of Object.values(MARKS)) await api.call("POST", "/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name: mark } });
    return new Bench(suite, api, engine, program, { ours, theirs });
  }

  async stop(): Promise<void> {
    await Promise.all([this.plugins.ours.close(), this.plugins.theirs.close()]);
    this.engine.close();
    await this.api.stop();
  }

  /** Log lines that the official provider sent to the engine. */
  get lines(): readonly string[] {
    return this.engine.lines;
  }

  #side(which: "ours" | "theirs"): Side {
    const mark = MARKS[which];
    const start = (config: Values): Promise<TestProvider> => {
      const complete = { kubeconfig: this.api.kubeconfig, ...config };
      return (which === "ours" ? TestProvider.start(provider, complete) : startOfficial(this.program, this.engine.address, complete)).then(asSdk);
    };
    const pluginFolder = which === "ours" ? OURS : path.dirname(this.program);
    return { mark, plugin: this.plugins[which], pluginFolder, record: new Recorded(mark), api: this.api, start };
  }

  /** Runs a case with both providers at once. @returns a line for each difference that KNOWN does not have, then the messages of failures */
  async compare(name: string, work: (side: Side) => Promise<void>): Promise<string[]> {
    const [ours, theirs] = [this.#side("ours"), this.#side("theirs")];
    await Promise.all([work(ours), work(theirs)]);
    const unknown: string[] = [];
    const show = (value: Plain | undefined): string => (JSON.stringify(value) ?? "<absent>").slice(0, 300);
    for (const [i, answer] of ours.record.answers.entries()) {
      const other = theirs.record.answers[i];
      if (other?.step !== answer.step) {
        unknown.push(`${name} | ${answer.step}: the other side did ${other?.step ?? "nothing"}`);
        break;
      }
      for (const { path: property, ours: here, theirs: there } of differences(answer.answer, other.answer)) {
        const where = `${name} | ${answer.step} | ${property}`;
        const known = KNOWN.find((entry) => entry.suites.includes(this.suite) && entry.where.test(where) && (entry.holds?.(here, there) ?? true));
        if (known !== undefined) this.#needed.add(known);
        else unknown.push(`${where}: ours ${show(here)}, theirs ${show(there)}`);
      }
    }
    this.#compared.add(name);
    if (unknown.length > 0) unknown.push(...ours.record.errors.map((line) => `ours: ${line}`), ...theirs.record.errors.map((line) => `theirs: ${line}`));
    return unknown;
  }

  /** Entries of KNOWN that no case of this suite needs any more. @param cases number of the suite's cases; empty unless all of them ran */
  stale(cases: number): string[] {
    if (this.#compared.size < cases) return [];
    return KNOWN.filter((entry) => entry.suites.includes(this.suite) && entry.byChance !== true && !this.#needed.has(entry)).map(
      ({ where, reason }) => `${where}: ${reason}`,
    );
  }

  /** Runs all cases at once. @returns the result of {@link compare}, by title */
  compareAll(cases: readonly Case[]): Map<string, Promise<string[]>> {
    const outcomes = new Map(cases.map(({ title, run }) => [title, this.compare(title, run)]));
    // Each test awaits its own case; until then a rejection is not an unhandled one.
    for (const outcome of outcomes.values()) outcome.catch(() => undefined);
    return outcomes;
  }
}

/** Our Kubernetes provider and the official one over one real API: the same inputs to both, and what they answered, compared. */
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

/** A test of one side, run with both. */
export interface Case {
  title: string;
  run(side: Side): Promise<void>;
}

/** One provider in one case. */
export interface Side {
  /** Stands in names and namespaces of this side alone; both are of one length and order. */
  mark: string;
  plugin: TestProvider;
  /** Where an engine finds this provider. */
  pluginFolder: string;
  record: Recorded;
  api: KubernetesUnderTest;
  /** Starts this side's provider again, with other settings. Closed by the caller. */
  start(config: Values): Promise<TestProvider>;
}

/** The SDK gives the API version and the kind with every object; a release is none. */
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
  /** Entries of the table that a case needed. */
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
   * @param suite whose entries of the table count
   * @param more the part "kube-controller-manager", where deletions are to wait for the garbage collector as they do in a cluster
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

  /** What the official provider told the engine. */
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

  /** Runs a case with both at once. @returns what differs and is not in the table, one line each; and the failures' own words */
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

  /** Entries of the table that no case of this suite needs any more. @param cases of the suite; where some did not run, nothing is known */
  stale(cases: number): string[] {
    if (this.#compared.size < cases) return [];
    return KNOWN.filter((entry) => entry.suites.includes(this.suite) && entry.byChance !== true && !this.#needed.has(entry)).map(
      ({ where, reason }) => `${where}: ${reason}`,
    );
  }

  /** All at once. @returns by title, what {@link compare} does */
  compareAll(cases: readonly Case[]): Map<string, Promise<string[]>> {
    const outcomes = new Map(cases.map(({ title, run }) => [title, this.compare(title, run)]));
    // Each is looked at by its test.
    for (const outcome of outcomes.values()) outcome.catch(() => undefined);
    return outcomes;
  }
}

/** Policy packs: both engines ask them the same questions, and report and do the same about the answers. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { EMBEDDED } from "../../support/real-cli";
import { describeReal } from "../../support/real-parts";
import type { Json } from "../engine/normalise";
import { CaseRun } from "../engine/recorded-case";

const PACK = path.join(__dirname, "policy-pack");
const POLICY_EVENTS = [
  ...["policyEvent", "policyRemediationEvent", "policyAnalyzeSummaryEvent", "policyRemediateSummaryEvent", "policyAnalyzeStackSummaryEvent"],
  ...["policyLoadEvent", "summaryEvent"],
];
const COLOUR_TAG = /<\{%[^%]*%\}>/g;

const GOOD: Json = [
  { n: "group", comp: true },
  { n: "a", a: { name: "a", size: 3, pw: "hunter2" }, secret: ["pw"], o: { parent: "group", additionalSecretOutputs: ["out"] } },
  { n: "b", a: { name: "b", size: 20 }, refs: { v: "a.out" }, o: { dep: ["a"], protect: false, customTimeouts: { create: "5m" }, ignoreChanges: ["zz"] } },
];
/** After all others, so that it is not left to chance what is created before it is refused. */
const BAD: Json = [...(GOOD as Json[]), { n: "c", a: { name: "forbidden", size: 2 }, o: { dep: ["b"] } }];

/** Sorted by resource: which of two is registered first is left to chance. */
const byResource = (events: Json[]): Json[] => {
  const urnOf = (event: Json): string => String((event as { resourceUrn?: string }).resourceUrn ?? "");
  return [...events].sort((a, b) => (urnOf(a) < urnOf(b) ? -1 : Number(urnOf(a) > urnOf(b))));
};

/** What an event log says about policies, without what differs by engine. */
function told(file: string): Json[] {
  const lines = fs.existsSync(file) ? fs.readFileSync(file, "utf8").trim().split("\n") : [];
  return lines.flatMap((line): Json[] => {
    const event = JSON.parse(line);
    const kind = POLICY_EVENTS.find((name) => event[name] !== undefined);
    if (kind === undefined) return [];
    if (kind === "summaryEvent") return [{ packs: Object.values(event.summaryEvent.PolicyPacks) as string[], changes: event.summaryEvent.resourceChanges }];
    const { color: _color, message, ...rest } = event[kind];
    return [{ kind, ...rest, ...(message === undefined ? {} : { message: String(message).replace(COLOUR_TAG, "").trimEnd() }) }];
  });
}

describeReal(["pulumi"], "policy packs, in one engine and the other", (pathOf) => {
  let run: CaseRun;
  let folder: string;
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "policies-"));
    run = new CaseRun(EMBEDDED);
  });
  afterEach(() => {
    run.close();
    fs.rmSync(folder, { recursive: true, force: true });
  });

  async function policies(pulumi: string, command: string[], spec: Json, settings: object = {}) {
    const [log, config] = [path.join(folder, "log"), path.join(folder, "config.json")];
    fs.rmSync(log, { force: true });
    fs.writeFileSync(config, JSON.stringify(settings));
    const args = [...command, "--stack", "dev", "--parallel", "1", "--event-log", log, "--policy-pack", PACK, "--policy-pack-config", config];
    const { status, stdout } = await run.call(args, { SPEC: JSON.stringify(spec) }, pulumi);
    const section = /Policies:\n([\s\S]*?)(\n\n|$)/.exec(stdout)?.[1] ?? stdout;
    return { ok: status === 0, told: byResource(told(log)), section: section.replaceAll(/\(local: .*\)/g, "").trimEnd() };
  }

  test.each([
    ["what is allowed", GOOD, {}],
    ["what is forbidden", BAD, {}],
    ["with settings", BAD, { all: "advisory", "few-resources": { enforcementLevel: "mandatory", most: 3 }, "tells-all": "advisory" }],
  ])(
    "%s is previewed and told alike",
    async (_name, spec, settings) => {
      await run.call(["stack", "init", "dev"]);
      const ours = await policies(EMBEDDED, ["preview"], spec, settings);
      const theirs = await policies(pathOf("pulumi"), ["preview"], spec, settings);
      expect(ours).toEqual(theirs);
    },
    600_000,
  );

  test("an update is held back, and one that is allowed changes what the policies change", async () => {
    await run.call(["stack", "init", "dev"]);
    const up = ["up", "--yes", "--skip-preview"];
    const states: unknown[] = [];
    const answers: unknown[] = [];
    for (const pulumi of [EMBEDDED, pathOf("pulumi")]) {
      const bad = await policies(pulumi, up, BAD);
      const good = await policies(pulumi, up, GOOD, { "few-resources": { most: 4 } });
      answers.push({ bad, good });
      const { stdout } = await run.call(["stack", "export", "--stack", "dev"], {}, pulumi);
      states.push(
        JSON.parse(stdout).deployment.resources.map(({ urn, inputs }: { urn: string; inputs: object }) => [
          urn,
          Object.keys(inputs ?? {}),
          (inputs as { size?: number })?.size,
        ]),
      );
      expect(await run.call(["destroy", "--yes", "--skip-preview", "--stack", "dev"], {}, pulumi)).toMatchObject({ status: 0 });
    }
    expect(answers[0]).toEqual(answers[1]);
    expect(states[0]).toEqual(states[1]);
  }, 600_000);
});

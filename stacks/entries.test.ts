/** What the entries for the orchestrator answer, each started as it starts them: complete plans, and known errors in their own words. */
import { spawnSync } from "node:child_process";
import * as path from "node:path";
import { listApps } from "./list-apps";
import { loadEstate } from "./load/estate";
import { renderIni, renderKnownHosts, renderSshConfig } from "./outputs/inventory";
import { planEstate } from "./plan/plan";
import { renderApps } from "./plan/rendered-apps";
import { renderArgoCd } from "./plan/rendered-argo-cd";
import { stackList } from "./stack-list";

interface Answer {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}
const ask = (entry: string, question: object = {}): Answer => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [path.join(__dirname, `../bin/stacks/${entry}.js`)], {
    input: JSON.stringify(question),
    encoding: "utf8",
  });
  return { status, stdout, stderr };
};
const answered = (answer: Answer): unknown => {
  expect([answer.status, answer.stderr]).toEqual([0, ""]);
  return JSON.parse(answer.stdout);
};
const refused = ({ status, stdout, stderr }: Answer): unknown => {
  expect([status, stdout]).toEqual([1, ""]);
  return JSON.parse(stderr);
};
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/** The plans of this checkout, whatever site it has. */
const plans = planEstate(loadEstate());
const [own] = plans.values();
if (own === undefined) throw new Error("this checkout has no stack");

test("render-apps: every file of the stacks' applications and of their Argo CD, in the order of the question", () => {
  const asked = [...plans.values()].filter(({ apps }) => apps.length > 0).toReversed();
  const stacks = asked.map((plan) => ({ stack: plan.stack.name, files: Object.fromEntries([...renderApps(plan, plans), ...renderArgoCd(plan, plans)]) }));
  expect(answered(ask("render-apps", { stacks: stacks.map(({ stack }) => stack) }))).toEqual({ version: 1, stacks });
});

test("render-apps: a stack that there is not is named, and a question of another form is refused", () => {
  expect(refused(ask("render-apps", { stacks: [own.stack.name, "nowhere"] }))).toMatchObject({ code: "E_STACK_UNKNOWN", subject: "nowhere" });
  expect(refused(ask("render-apps", { stacks: [own.stack.name], out: "gitops" }))).toMatchObject({
    code: "E_INTERNAL",
    message: expect.stringContaining('Unrecognized key: \\"out\\"'),
  });
});

test("list-apps and stack-list: what is planned, without a question", () => {
  expect(answered(ask("list-apps"))).toEqual(plain(listApps()));
  expect(answered(ask("stack-list"))).toEqual(plain(stackList()));
});

test("render-inventory: the hosts that it is given, with the way that the environment names", () => {
  const hosts = { box: { address: "10.9.0.12", user: "ops", node: "pve", hostKey: "ssh-ed25519 AAAA", running: true, groups: ["k3s"] } };
  expect(answered(ask("render-inventory", { format: "ini", hosts }))).toEqual({ text: renderIni(hosts) });
  expect(answered(ask("render-inventory", { format: "known-hosts", hosts }))).toEqual({ text: renderKnownHosts(hosts, undefined) });
  const access = { identityFile: "/keys/a b", knownHostsFile: "known" };
  expect(answered(ask("render-inventory", { format: "ssh-config", hosts, ...access }))).toEqual({ text: renderSshConfig(hosts, access) });
  expect(refused(ask("render-inventory", { format: "toml", hosts }))).toMatchObject({ code: "E_INTERNAL", message: expect.stringContaining("format") });
});

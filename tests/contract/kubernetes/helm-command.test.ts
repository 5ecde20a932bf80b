/** What reaches the helm executable: its arguments, its standard input, its own files, and a signal. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { parse } from "yaml";
import { kubernetesDocuments } from "../../../common/yaml";
import { HelmCommand } from "../../../providers/kubernetes/helm/helm-command";
import { specOf } from "../../../providers/kubernetes/helm/release-inputs";

const NEVER = new AbortController().signal;

let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-release-test-"));
  // A stand-in for helm. It writes down what it was given; for one chart it runs until it gets a signal.
  const script = `#!/usr/bin/env node
const fs = require("node:fs"), path = require("node:path"), home = process.env.HELM_CONFIG_HOME;
const read = (name) => (fs.existsSync(path.join(home, name)) ? fs.readFileSync(path.join(home, name), "utf8") : undefined);
const mode = (name) => (read(name) === undefined ? undefined : fs.statSync(path.join(home, name)).mode & 0o777);
const note = (stdin) => fs.appendFileSync(${JSON.stringify(path.join(folder, "calls"))}, JSON.stringify({ args: process.argv.slice(2), stdin, repositories: read("repositories.yaml"), mode: mode("repositories.yaml"), registry: read("registry.json") }) + "\\n");
let text = "";
process.stdin.on("data", (chunk) => { text += chunk; }).on("end", () => { note(text); if (!process.argv.includes("slow")) process.exit(0); });
if (process.argv.includes("slow")) { const stay = setInterval(() => {}, 1000); process.on("SIGTERM", () => { note("stopped"); clearInterval(stay); process.exit(1); }); }
`;
  fs.writeFileSync(path.join(folder, "helm"), script, { mode: 0o755 });
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

interface HelmCall {
  args: string[];
  stdin: string;
  repositories?: string;
  mode?: number;
  registry?: string;
}
const calls = (): HelmCall[] =>
  fs
    .readFileSync(path.join(folder, "calls"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as HelmCall);
const helm = () => new HelmCommand(path.join(folder, "helm"), "kubeconfig");
const flagsOf = ({ args }: HelmCall): string[] => args.slice(0, args.indexOf("--kubeconfig"));

test("what the inputs say reaches helm, values by standard input", async () => {
  const given = {
    maxHistory: 3,
    disableWebhooks: true,
    forceUpdate: true,
    reuseValues: true,
    takeOwnership: true,
    description: "why",
    atomic: true,
    timeout: 60,
    version: "1.2.3",
  };
  await helm().apply(
    specOf({ chart: "c", name: "r", namespace: "n", values: { a: "secret value", gone: null }, repositoryOpts: { repo: "https://r" }, ...given }, "d"),
    NEVER,
  );
  const [call] = calls();
  expect(flagsOf(call as HelmCall)).toEqual([
    ...["upgrade", "r", "c", "--repo", "https://r", "--install", "--namespace", "n", "--timeout", "60s", "--wait", "--atomic", "--no-hooks", "--force"],
    ...["--reuse-values", "--take-ownership", "--version", "1.2.3", "--description", "why", "--history-max", "3", "--values", "-"],
  ]);
  expect(parse(call?.stdin ?? "")).toEqual({ a: "secret value" });
});

test("a string that Helm's reader of YAML would take for a switch or a number reaches it as a string", async () => {
  const values = { a: ["yes", "on", "N", "0755", "0o17", "1_000", "1e3", "12:30", "2001-01-01", "~", "null", ""], yes: true, "1": 0o755 };
  await helm().apply(specOf({ chart: "c", name: "r", values }, "d"), NEVER);
  const { stdin } = calls()[0] as HelmCall;
  expect(kubernetesDocuments(stdin).map((document) => document.toJS() as unknown)).toEqual([values]);
  expect(parse(stdin)).toEqual(values);
});

test("credentials of a repository are in a file of helm's own, never among its arguments", async () => {
  const repositoryOpts = { repo: "https://r", username: "u", password: "p4ssw0rd", caFile: "/ca.pem" };
  await helm().apply(specOf({ chart: "c", name: "r", repositoryOpts, skipAwait: true }, "d"), NEVER);
  const [update, upgrade] = calls();
  expect(flagsOf(update as HelmCall)).toEqual(["repo", "update"]);
  expect(flagsOf(upgrade as HelmCall).slice(0, 3)).toEqual(["upgrade", "r", "homelab/c"]);
  expect(parse(upgrade?.repositories ?? "")).toEqual({
    apiVersion: "",
    repositories: [{ name: "homelab", url: "https://r", username: "u", password: "p4ssw0rd", caFile: "/ca.pem" }],
  });
  expect(upgrade?.mode).toBe(0o600);
  expect(JSON.stringify(calls().map(({ args }) => args))).not.toContain("p4ssw0rd");
});

test("credentials of a registry likewise", async () => {
  await helm().apply(specOf({ chart: "oci://registry.example/charts/c", name: "r", repositoryOpts: { username: "u", password: "p" } }, "d"), NEVER);
  const [upgrade] = calls();
  expect(JSON.parse(upgrade?.registry ?? "")).toEqual({ auths: { "registry.example": { auth: Buffer.from("u:p").toString("base64") } } });
});

test("on a cancellation helm is told to stop, and its end is waited for", async () => {
  const controller = new AbortController();
  const running = helm().apply(specOf({ chart: "slow", name: "slow" }, "d"), controller.signal);
  const ended = running.catch((thrown: unknown) => thrown);
  while (!fs.existsSync(path.join(folder, "calls"))) await new Promise((resolve) => setTimeout(resolve, 20));
  const reason = new Error("enough");
  controller.abort(reason);
  expect(await ended).toBe(reason);
  expect(calls().map(({ stdin }) => stdin)).toEqual(["{}\n", "stopped"]);
});

/** What the SDK's YAML components make of files and texts: programs on the embedded engine, with our provider or the official one. */
import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { z } from "zod";
import { cliEnvironment, EMBEDDED } from "../../../support/real-cli";
import type { Case, Side } from "./bench";

const resourceSchema = z.object({
  urn: z.string(),
  type: z.string(),
  custom: z.boolean().optional(),
  id: z.string().optional(),
  inputs: z.record(z.string(), z.json()).optional(),
  parent: z.string().optional(),
  dependencies: z.array(z.string()).optional(),
});
const deploymentSchema = z.object({ deployment: z.object({ resources: z.array(resourceSchema) }) });
const listSchema = z.object({ items: z.array(z.looseObject({ metadata: z.looseObject({ name: z.string() }) })) });

/** A kind's plural, with its group. */
const KINDS = ["api/v1 configmaps", "api/v1 secrets", "api/v1 services", "apis/rbac.authorization.k8s.io/v1 roles", "apis/apps/v1 deployments"] as const;
/** Objects that the API itself makes in every namespace. */
const NOBODYS = new Set(["kube-root-ca.crt"]);

const OBJECTS = (namespace: string, level: string): string => `apiVersion: v1
kind: ConfigMap
metadata: { name: config, namespace: ${namespace} }
data: { level: "${level}", mode: "0755" }
---
apiVersion: v1
kind: Secret
metadata: { name: login, namespace: ${namespace} }
stringData: { password: hunter2 }
---
apiVersion: v1
kind: List
items:
  - apiVersion: v1
    kind: Service
    metadata: { name: web, namespace: ${namespace}, annotations: { pulumi.com/skipAwait: "true" } }
    spec: { selector: { app: web }, ports: [{ port: 80, targetPort: http }] }
  - apiVersion: rbac.authorization.k8s.io/v1
    kind: Role
    metadata: { name: reader, namespace: ${namespace} }
    rules: [{ apiGroups: [""], resources: [pods], verbs: [get, list] }]
---
# nothing
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: ${namespace}, annotations: { pulumi.com/skipAwait: "true" } }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [{ name: web, image: "nginx:1.27", securityContext: { runAsUser: 0o17 } }] }
`;

const ROOT = path.resolve(__dirname, "../../../..");

/** A Pulumi project with one stack, in a temporary folder. */
class Project {
  readonly #folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-beside-"));

  private constructor(private readonly side: Side) {}

  static async start(side: Side, program: string): Promise<Project> {
    const project = new Project(side);
    const plugins = { providers: [{ name: "kubernetes", path: side.pluginFolder }] };
    project.write("Pulumi.yaml", JSON.stringify({ name: "beside", runtime: { name: "nodejs", options: { typescript: false } }, plugins }));
    project.write("package.json", '{ "main": "index.js" }');
    project.write("index.js", program);
    project.write("kubeconfig", side.api.kubeconfig);
    project.write("backend/.keep", "");
    fs.symlinkSync(path.join(ROOT, "node_modules"), path.join(project.#folder, "node_modules"));
    const { status, stderr } = await project.#call(["stack", "init", "dev"]);
    if (status !== 0) throw new Error(`stack init ended with ${status}: ${stderr}`);
    return project;
  }

  write(name: string, text: string): void {
    const file = path.join(this.#folder, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, text, { mode: 0o600 });
  }

  #call(args: readonly string[]): Promise<{ status: number; stdout: string; stderr: string }> {
    const env = {
      ...process.env,
      ...cliEnvironment(EMBEDDED, this.#folder),
      ...{ PULUMI_BACKEND_URL: `file://${this.#folder}/backend`, PULUMI_CONFIG_PASSPHRASE: "beside" },
      ...{ KUBECONFIG: path.join(this.#folder, "kubeconfig"), NAMESPACE: this.side.mark },
    };
    return new Promise((resolve) => {
      const done = (error: { code?: unknown } | null, stdout: string, stderr: string) =>
        resolve({ status: error === null ? 0 : typeof error.code === "number" ? error.code : -1, stdout, stderr });
      execFile(EMBEDDED, [...args, "--non-interactive"], { cwd: this.#folder, env, maxBuffer: 1 << 26 }, done).stdin?.end();
    });
  }

  /** Runs a command and records its exit code. @param words the part of its output that is compared */
  async step(name: string, args: readonly string[], words?: RegExp): Promise<void> {
    const { status, stdout, stderr } = await this.#call(args);
    if (status !== 0) this.side.record.errors.push(`${name}: ${stdout}${stderr}`);
    this.side.record.note(name, { status, ...(words === undefined ? {} : { said: words.exec(`${stdout}${stderr}`)?.[0] ?? "" }) });
  }

  /** Records the state's resources by URN, with decrypted secrets, so that they can be compared. */
  async state(): Promise<void> {
    const { stdout } = await this.#call(["stack", "export", "--show-secrets"]);
    const { resources } = deploymentSchema.parse(JSON.parse(stdout)).deployment;
    const kept = resources.filter(({ type }) => !type.startsWith("pulumi:providers:")).map(({ urn, ...resource }) => [urn, resource]);
    this.side.record.note("state", Object.fromEntries(kept));
  }

  /** Destroys everything, also what a failed step left. */
  async remove(): Promise<void> {
    await this.#call(["destroy", "--yes", "--skip-preview"]);
    fs.rmSync(this.#folder, { recursive: true, force: true });
  }
}

async function inProject(side: Side, program: string, work: (project: Project) => Promise<void>): Promise<void> {
  const project = await Project.start(side, program);
  try {
    await work(project);
  } finally {
    await project.remove();
  }
}

/** Records the objects that the API has, by kind and name. */
async function objects({ api, mark, record }: Side): Promise<void> {
  const found: Record<string, unknown> = {};
  for (const kind of KINDS) {
    const [group, plural] = kind.split(" ");
    const { items } = listSchema.parse(await api.call("GET", `/${group}/namespaces/${mark}/${plural}`));
    for (const item of items) if (!NOBODYS.has(item.metadata.name)) found[`${plural} ${item.metadata.name}`] = item;
  }
  record.note("objects", found);
}

const UP = ["up", "--yes", "--skip-preview"];

const FILES = `const k8s = require("@pulumi/kubernetes");
const namespace = process.env.NAMESPACE;
const text = (name) => "apiVersion: v1\\nkind: ConfigMap\\nmetadata: { name: " + name + ", namespace: " + namespace + " }\\ndata: { from: text }\\n";
new k8s.yaml.ConfigFile("file", { file: "objects.yaml" });
const group = new k8s.yaml.ConfigGroup("group", {
  files: ["more-*.yaml"],
  yaml: [text("first"), text("second")],
  objs: [{ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "object", namespace }, data: { from: "object" } }],
  resourcePrefix: "pre",
  transformations: [(object) => { if (object.metadata.name === "second") object.data.from = "transformation"; }],
});
exports.first = group.getResource("v1/ConfigMap", namespace, "pre-first").data.from;
`;

const configMap = (name: string, namespace: string, data = ""): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name}, namespace: ${namespace} }\ndata: { ${data} }\n`;

/** A component that the provider constructs, or that calls a function of the provider. */
const component = (token: string, args: string): Case => ({
  title: token,
  run: (side) =>
    inProject(side, `new (require("@pulumi/kubernetes").${token})("it", ${args});\n`, async (project) => {
      project.write("objects.yaml", configMap("it", side.mark));
      project.write("kustomized/kustomization.yaml", "resources: [object.yaml]\n");
      project.write("kustomized/object.yaml", configMap("it", side.mark));
      await project.step("up", UP, /the embedded provider kubernetes does not have kubernetes:\S+; the official plugin has/);
    }),
});

export const PROGRAM_CASES: Case[] = [
  {
    title: "ConfigFile and ConfigGroup",
    run: (side) =>
      inProject(side, FILES, async (project) => {
        project.write("objects.yaml", OBJECTS(side.mark, "1"));
        project.write("more-a.yaml", configMap("more", side.mark, 'yes: "on"'));
        await project.step("preview", ["preview"]);
        await project.step("up", UP);
        await project.state();
        await objects(side);
        await project.step("nothing to do", ["preview", "--expect-no-changes"]);
        await project.step("nothing to do after a refresh", ["refresh", "--yes", "--skip-preview", "--expect-no-changes"]);
        project.write("objects.yaml", OBJECTS(side.mark, "2"));
        project.write("more-a.yaml", "# nothing any more\n");
        await project.step("up again", UP);
        await project.state();
        await objects(side);
        await project.step("destroy", ["destroy", "--yes", "--skip-preview"]);
        await objects(side);
      }),
  },
  {
    title: "a ConfigFile that is no YAML",
    run: (side) =>
      inProject(side, `new (require("@pulumi/kubernetes").yaml.ConfigFile)("file", { file: "objects.yaml" });\n`, async (project) => {
        project.write("objects.yaml", "a: [1\n");
        await project.step("up", UP);
      }),
  },
  component("yaml.v2.ConfigFile", `{ file: "objects.yaml" }`),
  component("yaml.v2.ConfigGroup", `{ files: ["objects.yaml"] }`),
  component("kustomize.Directory", `{ directory: "./kustomized" }`),
  component("kustomize.v2.Directory", `{ directory: "./kustomized" }`),
];

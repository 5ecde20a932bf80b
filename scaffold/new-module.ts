/** `homelab new module`: a module of the platform made of one chart, with its test, its line in the catalogue and what the lab runs for it. */
import * as fs from "node:fs";
import * as path from "node:path";
import { HomelabError } from "../common/errors";
import { keyText } from "./site-files";
import { entriesOf, entryOf, MATRIX, notFormatted, read, withEntry, withItem } from "./site-text";
import { writeChanges } from "./write";

const CATALOGUE = "components/platform/catalogue.ts";
const NAME = /^[a-z]([a-z0-9-]{0,40}[a-z0-9])?$/;

export interface ModuleAnswers {
  name: string;
  /** `https://charts.example.org/chart` or `oci://registry.example.org/charts/chart`: the repository and, after the last slash, the chart. */
  chart: string;
  /** Exact, such as 1.2.3. */
  version: string;
  /** Stack of the matrix that gets it. Undefined: no stack gets it yet. */
  stack: string | undefined;
}

const refuse = (message: string, subject: string, hint: string): HomelabError => new HomelabError("E_USAGE", message, { subject, hint });

interface Names {
  /** `external-dns` */
  kebab: string;
  /** `externalDns` */
  camel: string;
  /** `ExternalDns` */
  pascal: string;
  /** `EXTERNAL_DNS` */
  constant: string;
}

function namesOf(kebab: string): Names {
  const pascal = kebab
    .split("-")
    .map((part) => `${part[0]?.toUpperCase() ?? ""}${part.slice(1)}`)
    .join("");
  return { kebab, camel: `${pascal[0]?.toLowerCase() ?? ""}${pascal.slice(1)}`, pascal, constant: kebab.replaceAll("-", "_").toUpperCase() };
}

interface ChartAt {
  repository: string;
  chart: string;
  version: string;
}

const valuesText = ({ kebab, camel, constant }: Names, { repository, chart, version }: ChartAt): string => `/** Values of the chart ${chart}. */
import type { ChartPin } from "../pins";

export const ${constant}_CHART = {
  repository: "${repository}",
  name: "${chart}",
  version: "${version}",
  why: "the version with which the module was written",
} as const satisfies ChartPin;

export const ${constant}_NAMESPACE = "${kebab}";

export function ${camel}Values() {
  return {};
}
`;

const moduleText = ({ kebab, camel, pascal, constant }: Names): string => `import { defineModule, noOptions } from "../module";
import { ${constant}_CHART, ${constant}_NAMESPACE, ${camel}Values } from "./values";

export const ${camel} = defineModule({
  name: "${kebab}",
  summary: "the chart of ${kebab} as it is",
  charts: { ${keyText(kebab)}: ${constant}_CHART },
  options: noOptions,
  parts: () => ({
    namespaces: [${constant}_NAMESPACE],
    // Its network policies allow only the connections that are declared here.
    flows: [],
    values: { ${keyText(kebab)}: ${camel}Values() },
  }),
  build: () => (require("./${kebab}") as typeof import("./${kebab}")).build${pascal},
});
`;

const componentText = ({ kebab, camel, pascal, constant }: Names): string => `import type * as pulumi from "@pulumi/pulumi";
import { Component } from "../../base/component";
import { HelmRelease } from "../../base/helm-release";
import { Namespace, type NamespaceArgs } from "../../base/namespace";
import type { BuildModule } from "../context";
import { ${constant}_CHART, ${constant}_NAMESPACE, ${camel}Values } from "./values";

export interface ${pascal}Args {
  namespace: NamespaceArgs;
}

/** The chart of ${kebab} in a namespace of its own. */
export class ${pascal} extends Component {
  constructor(name: string, args: ${pascal}Args, opts?: pulumi.ComponentResourceOptions) {
    super("platform:${pascal}", name, opts);
    const { namespace } = new Namespace(\`\${name}-ns\`, args.namespace, this.child());
    new HelmRelease(name, { releaseName: "${kebab}", namespace, chart: ${constant}_CHART, values: ${camel}Values() }, this.child());
    this.registerOutputs({});
  }
}

export const build${pascal}: BuildModule<Record<string, never>> = (name, { context }, opts) => ({
  component: new ${pascal}(name, { namespace: context.namespace(${constant}_NAMESPACE) }, opts),
});
`;

const testText = ({ kebab, camel, constant }: Names): string => `import { builtModule, releaseDefaults, releaseOf } from "../../../tests/support/module-build";
import { chartSource } from "../../base/chart";
import { ${camel} } from "./module";
import { ${constant}_CHART } from "./values";

test("it is its pinned chart in a namespace of its own", async () => {
  expect(releaseOf(await builtModule(${camel}))).toEqual({
    ...releaseDefaults,
    ...chartSource(${constant}_CHART),
    name: "${kebab}",
    namespace: "${kebab}",
    version: ${constant}_CHART.version,
    values: {},
  });
});
`;

/** The chart that the lab installs in place of the real one. */
function standIn({ kebab }: Names, { repository, chart, version }: ChartAt): [string, string][] {
  const folder = `lab/artefacts/data/charts/${repository.replace(/^(https|oci):\/\//, "")}/${chart}/${version}`;
  const plain = version.replace(/^v/, "");
  return [
    [
      `${folder}/Chart.yaml`,
      `apiVersion: v2\nname: ${chart}\nversion: ${version}\nappVersion: "${plain}"\ndescription: Stand-in of the homelab's lab for the chart ${chart}\n`,
    ],
    [`${folder}/values.yaml`, "# The values that the stand-in knows, with the chart's own defaults.\n{}\n"],
    [
      `${folder}/templates/deployment.yaml`,
      `apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
  namespace: {{ .Release.Namespace }}
  labels:
    app.kubernetes.io/name: ${kebab}
spec:
  selector:
    matchLabels:
      app.kubernetes.io/name: ${kebab}
  template:
    metadata:
      labels:
        app.kubernetes.io/name: ${kebab}
    spec:
      securityContext:
        runAsNonRoot: true
        seccompProfile:
          type: RuntimeDefault
      containers:
        - name: ${kebab}
          image: "registry.example.org/${kebab}:{{ .Chart.AppVersion }}"
          securityContext:
            allowPrivilegeEscalation: false
            capabilities:
              drop: [ALL]
`,
    ],
  ];
}

/** The catalogue with an import and an entry more. */
function inCatalogue(text: string, { kebab, camel }: Names): string {
  const line = `import { ${camel} } from "./${kebab}/module";\n`;
  const imports = text.match(/^import \{ \w+ \} from "\.\/[^"]+\/module";\n/gm) ?? [];
  const behind = imports.filter((other) => other.slice(other.indexOf("from")) < line.slice(line.indexOf("from"))).at(-1) ?? "";
  const at = behind === "" ? text.indexOf(imports[0] ?? "") : text.indexOf(behind) + behind.length;
  const withImport = `${text.slice(0, at)}${line}${text.slice(at)}`;
  const list = /(export const MODULES = \[[^\]]*?)(,?\s*)\] as const/.exec(withImport);
  if (imports.length === 0 || list === null)
    throw new HomelabError("E_SITE", `${CATALOGUE} has no list to which a module can be added`, { subject: CATALOGUE, hint: "add the module by hand" });
  const [whole, head = "", tail = ""] = list;
  // On a line of its own if the other entries are.
  const added = tail.includes("\n") ? `,\n  ${camel},\n` : `, ${camel}`;
  return withImport.replace(whole, `${head}${added}] as const`);
}

/** The matrix with the module in the stack's row. */
function inMatrix(matrix: string, stack: string, name: string): string {
  const entry = entryOf(entriesOf(matrix), stack);
  const key = keyText(name);
  const changed = withItem(entry.text, "platform", `${key}: {}`);
  if (changed === undefined) throw notFormatted("modules", stack, `add ${key}: {} to its platform by hand,`);
  return withEntry(matrix, entry, changed);
}

function chartAt(chart: string, version: string): ChartAt {
  const [, repository = "", name = ""] = /^((?:https|oci):\/\/[^\s/]+(?:\/[^\s/]+)*)\/([a-z0-9][a-z0-9-]*)\/?$/.exec(chart) ?? [];
  if (name === "") throw refuse(`"${chart}" is no address of a chart`, chart, "its repository and its name, such as https://charts.example.org/valkey");
  if (!/^v?\d+\.\d+\.\d+$/.test(version)) throw refuse(`"${version}" is no exact version`, version, "such as 1.2.3");
  return { repository, chart: name, version };
}

/**
 * @param root of the checkout
 * @returns files that were written, from there
 * @throws HomelabError E_USAGE, E_SITE, E_EXISTS
 */
export function newModule(root: string, { name, chart, version, stack }: ModuleAnswers): string[] {
  if (!NAME.test(name)) throw refuse(`"${name}" is no name for a module`, name, "lower-case letters, digits and dashes, such as valkey");
  const names = namesOf(name);
  const at = chartAt(chart, version);
  const folder = `components/platform/${name}`;
  if (fs.existsSync(path.join(root, folder)))
    throw new HomelabError("E_EXISTS", `there is a module "${name}" already`, { subject: folder, hint: "take another name" });
  const changed = new Map([[CATALOGUE, inCatalogue(read(root, CATALOGUE), names)]]);
  if (stack !== undefined) changed.set(MATRIX, inMatrix(read(root, MATRIX), stack, name));
  const files: [string, string][] = [
    [`${folder}/module.ts`, moduleText(names)],
    [`${folder}/values.ts`, valuesText(names, at)],
    [`${folder}/${name}.ts`, componentText(names)],
    [`${folder}/${name}.test.ts`, testText(names)],
    ...standIn(names, at),
  ];
  return writeChanges(root, new Map(files), changed);
}

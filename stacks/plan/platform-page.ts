/** The texts of docs/platform.md, from the catalogue, and of site/platform.md, from the matrix. Pure. */
import { z } from "zod";
import type { Module, ModuleParts } from "../../components/platform/module";

import type { Place } from "../../components/platform/place";
import type { PlatformPlan } from "./platform-types";

const row = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [row(head), `|${head.map(() => "---").join("|")}|`, ...rows.map(row)].join("\n");
const code = (texts: readonly string[]): string => texts.map((text) => `\`${text}\``).join(", ");

interface OptionSchema {
  type?: string;
  description?: string;
  default?: unknown;
}

/** The options of a module from its schema. */
function options(module: Module): string {
  const { properties = {} } = z.toJSONSchema(module.options, { io: "input" }) as { properties?: Record<string, OptionSchema> };
  const rows = Object.entries(properties).map(([name, { type, description, default: fallback }]) => [
    `\`${name}\``,
    type ?? "",
    fallback === undefined ? "" : `\`${JSON.stringify(fallback)}\``,
    description ?? "",
  ]);
  return rows.length === 0 ? "It has no options." : table(["Option", "Type", "Default", "Meaning"], rows);
}

/** An example homelab, so that the page is the same for everybody. */
const EXAMPLE: Place = {
  environment: "tools",
  domain: "example.org",
  contact: "certificates@example.org",
  ingressClass: "traefik",
  routes: { kind: "ingress", className: "traefik" },
  distribution: "k3s",
  storageClass: "local-path",
  piholeUrl: "http://192.0.2.3",
  vaultAddress: "https://vault.example.org",
  vaultByOwnAuthority: false,
  entries: new Map(),
  ownEntries: new Map(),
  ageRecipients: [],
  hostNames: [],
  routeNames: [],
  kinds: [],
  deliversTo: [],
};

/** A module's parts with default options; undefined where an option has no default. */
function exampleParts(module: Module): ModuleParts | undefined {
  const { success, data } = module.options.safeParse({});
  return success ? module.parts(data, EXAMPLE) : undefined;
}

function facts(module: Module, parts: ModuleParts | undefined): string[] {
  const lines: [string, string][] = [
    [
      "Charts",
      Object.values(module.charts)
        .map(({ name, version, repository, why }) => `\`${name}\` ${version} of ${repository}: ${why}`)
        .join("; "),
    ],
    ["Images", module.images.map(({ image, why }) => `\`${image}\`: ${why}`).join("; ")],
    ["Needs", code([...(parts?.needs ?? []), ...(parts?.uses ?? []), ...(parts?.cluster ?? [])])],
    ["Provides", code([...module.provides, ...module.brings])],
    ["Namespaces", code(parts?.namespaces ?? [])],
    ["Host names", (parts?.hosts ?? []).map(({ name, serves }) => `\`${name}\` (${serves})`).join(", ")],
    [
      "Reads",
      [
        ...(parts?.programSecrets ?? []).map(({ path, key, why }) => `\`${key}\` of \`${path}\`: ${why}`),
        ...(parts?.namespaceSecrets ?? []).flatMap(({ wanted }) =>
          wanted.flatMap(({ data }) => Object.values(data).map(({ path, key }) => `\`${key}\` of \`${path}\`, by External Secrets`)),
        ),
      ].join("; "),
    ],
    [
      "Connections",
      (parts?.flows ?? [])
        .map(({ direction, peer, port, endPort, protocol, why }) => {
          const ports = endPort === undefined ? `${port}` : `${port} to ${endPort}`;
          return `${direction === "in" ? "from" : "to"} ${peer}, ${protocol ?? "TCP"} ${ports}: ${why}`;
        })
        .join("; "),
    ],
    ["Resource kinds", code(module.crds)],
  ];
  return lines.filter(([, text]) => text !== "").map(([name, text]) => `- ${name}: ${text}`);
}

/** @param from path of docs/platform.md, relative to this page */
export function matrixPage(catalogue: readonly Module[], plans: readonly PlatformPlan[], from: string): string {
  const environments = plans.map(({ environment }) => environment);
  const has = (plan: PlatformPlan, name: string): boolean => plan.modules.some((module) => module.name === name);
  const matrix = table(
    ["Module", ...environments],
    catalogue.map(({ name }) => [`[${name}](${from}#${name})`, ...plans.map((plan) => (has(plan, name) ? "x" : ""))]),
  );
  const hosts = table(
    ["Host name", "Stack", "Served by", "What"],
    plans.flatMap((plan) => plan.hosts.map(({ name, owner, serves }) => [name, plan.environment, owner, serves])),
  );
  return [
    "# The platform of this homelab",
    "",
    `Written from site/stacks.ts by \`node bin/stacks/platform-page.js --write\`. [docs/platform.md](${from}) says what each module is.`,
    "",
    "## What runs where",
    "",
    matrix,
    "",
    "## Host names",
    "",
    hosts,
    "",
  ].join("\n");
}

export function platformPage(catalogue: readonly Module[]): string {
  const sections = catalogue.map((module) => {
    const parts = exampleParts(module);
    return [`### ${module.name}`, "", `${module.summary[0]?.toUpperCase()}${module.summary.slice(1)}.`, "", ...facts(module, parts), "", options(module)].join(
      "\n",
    );
  });
  return [
    "# Platform",
    "",
    "The modules of the platform. Written from the catalogue by `node bin/stacks/platform-page.js --write`; a test holds it to the catalogue. [site/platform.md](../site/platform.md) says what runs where in this homelab, and [components.md](components.md) how a module is made. Names and addresses are those of a homelab with the domain example.org, in which a module has no options but its defaults.",
    "",
    "## Modules",
    "",
    sections.join("\n\n"),
    "",
  ].join("\n");
}

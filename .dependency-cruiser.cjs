// Who may import whom (docs/architecture.md has the table with reasons). What is not listed is an error.
"use strict";
const FOLDERS = [
  "common",
  "ansible-replacements",
  "secrets",
  "components",
  "site",
  "stacks",
  "engine",
  "providers",
  "lab",
  "scaffold",
  "orchestrator",
  "pipelines",
];
const MAY = {
  common: [],
  "ansible-replacements": ["common"],
  secrets: ["common"],
  components: ["common", "ansible-replacements"],
  site: ["components", "stacks"],
  stacks: ["site", "components", "ansible-replacements", "secrets", "common"],
  engine: ["common"],
  providers: ["common"],
  lab: ["common"],
  scaffold: ["secrets", "common"],
  orchestrator: ["scaffold", "secrets", "common"],
  pipelines: ["common"],
};
/** Rooms of `stacks/`: site/ is written with `define` and read by `load`; each imports itself and those before it. Its root holds the entries. */
const PROGRAM_ROOMS = ["define", "load", "plan", "build", "outputs"];
/** Rooms of `orchestrator/`, lowest first: each imports itself and those before it. Its root (main.ts) imports what it likes. */
const ROOMS = ["cli", "target", "state", "worker", "schedule", "store", "report", "pull-request", "ui", "run", "hosts", "drift", "secrets", "begin", "commands"];

module.exports = {
  forbidden: [
    ...FOLDERS.map((folder) => ({
      name: `${folder}-imports`,
      severity: "error",
      comment: `${folder} may import: ${MAY[folder].join(", ") || "no other folder"}`,
      from: { path: `^${folder}/`, pathNot: "\\.test\\.ts$" },
      to: { path: `^(${FOLDERS.filter((f) => f !== folder && !MAY[folder].includes(f)).join("|")})/` },
    })),
    ...ROOMS.map((room, i) => ({
      name: `orchestrator-${room}-imports`,
      severity: "error",
      comment: `orchestrator/${room} may import: ${ROOMS.slice(0, i).join(", ") || "no other room"}`,
      from: { path: `^orchestrator/${room}/` },
      to: { path: "^orchestrator/", pathNot: `^orchestrator/(${ROOMS.slice(0, i + 1).join("|")})/` },
    })),
    {
      name: "orchestrator-rooms",
      severity: "error",
      comment: "a new room has its place in the order of ROOMS",
      from: { path: "^orchestrator/[^/]+/", pathNot: `^orchestrator/(${ROOMS.join("|")})/` },
      to: { path: "^" },
    },
    ...PROGRAM_ROOMS.map((room, i) => ({
      name: `stacks-${room}-imports`,
      severity: "error",
      comment: `stacks/${room} may import: ${PROGRAM_ROOMS.slice(0, i).join(", ") || "no other room"}`,
      from: { path: `^stacks/${room}/`, pathNot: "\\.test\\.ts$" },
      to: { path: "^stacks/", pathNot: `^stacks/(${PROGRAM_ROOMS.slice(0, i + 1).join("|")})/` },
    })),
    {
      name: "stacks-rooms",
      severity: "error",
      comment: "a new room has its place in the order of PROGRAM_ROOMS",
      from: { path: "^stacks/[^/]+/", pathNot: `^stacks/(${PROGRAM_ROOMS.join("|")})/` },
      to: { path: "^" },
    },
    {
      name: "site-is-data",
      severity: "error",
      comment: "a homelab's own files take what they are written with, and the types of components",
      from: { path: "^site/" },
      to: { path: "^(stacks|components|node_modules)/", pathNot: "^(stacks/define/|components/hosts/node-spec\\.ts)" },
    },
    {
      name: "site-is-read-in-one-place",
      severity: "error",
      comment: "what belongs to one homelab reaches the program as the Estate (stacks/load), and the lab by lab-site.ts",
      from: { path: "^(?!site/)", pathNot: "^stacks/(load/estate|lab-site)\\.ts$|\\.test\\.ts$|^tests/" },
      to: { path: "^site/" },
    },
    {
      name: "plans-are-data",
      severity: "error",
      comment: "what is planned is known before anything is registered: neither the site nor its plan loads the SDK",
      from: { path: "^(site|stacks/(define|load|plan))/", pathNot: "\\.test\\.ts$" },
      to: { path: "node_modules/@pulumi/", dependencyTypesNot: ["type-only"] },
    },
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true, dependencyTypesNot: ["type-only"] } },
    {
      name: "pulumi-sdk-only-in-the-program",
      severity: "error",
      comment: "roles, secrets and the lab run and are tested without an engine",
      from: { path: "^(common|ansible-replacements|secrets|lab|pipelines)/", pathNot: "\\.test\\.ts$" },
      to: { path: "node_modules/@pulumi/" },
    },
    {
      name: "engine-and-providers-use-only-the-protocol",
      severity: "error",
      comment: "of the SDK, the engine and the providers use the generated protocol code only",
      from: { path: "^(engine|providers)/", pathNot: "\\.test\\.ts$" },
      to: { path: "node_modules/@pulumi/", pathNot: "node_modules/@pulumi/pulumi/proto/" },
    },
    {
      name: "engine-knows-no-command-line",
      severity: "error",
      comment: "the engine and its files are used by the command line, and do not know it",
      from: { path: "^engine/(?!cli/|main\\.ts)" },
      to: { path: "^engine/cli/" },
    },
    {
      name: "monitor-knows-no-deployment",
      severity: "error",
      comment: "the deployment gives the monitor what it needs (engine/monitor/resource-monitor.ts: MonitorBackend)",
      from: { path: "^engine/monitor/" },
      to: { path: "^engine/deployment/" },
    },
    {
      name: "automation-api-in-two-files",
      severity: "error",
      from: { path: "^orchestrator/", pathNot: "^orchestrator/worker/(stack|worker)\\.ts$|\\.test\\.ts$" },
      to: { path: "node_modules/@pulumi/" },
    },
    { name: "no-test-code-in-product", severity: "error", from: { pathNot: "\\.test\\.ts$|^tests/" }, to: { path: "^tests/|\\.test\\.ts$" } },
  ],
  options: { doNotFollow: { path: "node_modules" }, tsPreCompilationDeps: true, tsConfig: { fileName: "tsconfig.json" } },
};

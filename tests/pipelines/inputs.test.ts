/** Inputs of what other repositories call: those that the original had, and that each arrives where it is meant to. */
import { parse } from "yaml";
import { renderAll } from "../../pipelines/files";
import { APPLICATION_FLOW, TEMPLATES } from "../../pipelines/gitlab-templates";

interface Input {
  type: string;
  required?: boolean;
  default?: string | boolean;
}
interface Step {
  uses?: string;
  run?: string;
  with?: Record<string, unknown>;
  env?: unknown;
  "working-directory"?: string;
}
interface Called {
  on: { workflow_call?: { inputs?: Record<string, Input>; secrets?: Record<string, unknown> } } | null;
  jobs: Record<string, { steps?: Step[]; with?: Record<string, unknown> }>;
}
const files = Object.entries(renderAll()).filter(([file]) => file.startsWith(".github/workflows/"));
const reusable = files.map(([file, text]) => [file.slice(18), text, parse(text) as Called] as const).filter(([, , { on }]) => on?.workflow_call !== undefined);
const named = (file: string): Called => reusable.find(([name]) => name === file)?.[2] ?? { on: null, jobs: {} };
const stepsOf = (file: string): Step[] => Object.values(named(file).jobs).flatMap(({ steps = [] }) => steps);
const inputOf = (name: string): string => `\${{ inputs.${name} }}`;

test.each([
  ["build-and-push.yml", "app-context", true, undefined],
  ["build-and-push.yml", "app-name", true, undefined],
  ["build-and-push.yml", "app-dockerfile", undefined, "Dockerfile"],
  ["deploy.yml", "app-name", true, undefined],
  ["iac-tests.yml", "iac-directory", true, undefined],
  ["go-tests.yml", "go-dir", true, undefined],
  ["cypress.yml", "start", undefined, ""],
  ["cypress.yml", "env-vars", undefined, "{}"],
])("%s has the original's input %s, required: %s, default: %s", (file, name, required, fallback) => {
  const input = named(file).on?.workflow_call?.inputs?.[name];
  expect([input?.type, input?.required, input?.default]).toEqual(["string", required, fallback]);
});

test("each arrives: in the action that builds, scans, tests or starts, and never in a script", () => {
  const builds = stepsOf("build-and-push.yml").filter(({ uses }) => uses?.startsWith("docker/build-push-action") === true);
  // What is pushed is built from the same as what was scanned.
  expect(builds.map(({ with: given }) => [given?.["context"], given?.["file"], given?.["build-args"]])).toEqual(
    Array.from({ length: 2 }, () => [inputOf("app-context"), `${inputOf("app-context")}/${inputOf("app-dockerfile")}`, inputOf("build-args")]),
  );
  expect(builds.map(({ with: given }) => String(given?.["tags"]).includes(inputOf("app-name")))).toEqual([true, true]);
  expect(stepsOf("iac-tests.yml").find(({ uses }) => uses?.startsWith("aquasecurity/"))?.with?.["scan-ref"]).toBe(inputOf("iac-directory"));
  const go = stepsOf("go-tests.yml");
  expect(go.filter(({ run }) => run !== undefined).map((step) => step["working-directory"])).toEqual([inputOf("go-dir"), inputOf("go-dir")]);
  expect(go.find(({ uses }) => uses?.startsWith("golangci/"))?.with?.["working-directory"]).toBe(inputOf("go-dir"));
  const cypress = stepsOf("cypress.yml").find(({ uses }) => uses?.startsWith("cypress-io/"));
  // Variables of the step are in the environment of the action, and so of the tests and of what `start` starts.
  expect([cypress?.with?.["start"], cypress?.env]).toEqual([inputOf("start"), "${{ fromJSON(inputs.env-vars) }}"]);
});

const uses = (text: string, kind: "inputs" | "secrets"): string[] =>
  [...new Set([...text.matchAll(new RegExp(`\\b${kind}\\.([a-z][\\w-]*)`, "g"))].map(([, name = ""]) => name))].sort();

test.each(reusable)("%s uses every input and secret that it declares, and declares each that it uses", (_, text, { on }) => {
  const { inputs = {}, secrets = {} } = on?.workflow_call ?? {};
  expect(uses(text, "inputs")).toEqual(Object.keys(inputs).sort());
  expect(uses(text, "secrets")).toEqual(Object.keys(secrets).sort());
});

test("the whole flow of an application passes on all that its build takes, but for the version, which comes last", () => {
  const wanted = Object.keys(named("build-and-push.yml").on?.workflow_call?.inputs ?? {});
  expect(Object.keys(named("application.yml").jobs["build"]?.with ?? {}).sort()).toEqual(wanted.filter((name) => !["push", "version"].includes(name)).sort());
});

/** Variables that a caller of a template on GitLab sets, beside those that have a default. */
const VARIABLES: Readonly<Record<string, readonly string[]>> = {
  ".node": [],
  ".iac-tests-template": ["IAC_DIR"],
  ".go_tests": ["GO_DIR"],
  ".build-docker-image-template": ["APP_CONTEXT", "APP_NAME"],
  ".tag-image-template": ["APP_NAME", "IMAGE_DIGEST", "IMAGE_TAG"],
  ".version-template": ["HOMELAB_PROJECT"],
  ".scan-image-template": ["APP_NAME"],
  ".deploy-app-template": ["APP_NAME", "HOMELAB_PROJECT", "STAGE"],
  ".delivered-template": ["HOMELAB_PROJECT", "STAGE"],
  ".cypress-template": ["CYPRESS_DIR"],
};
const wantedBy = (job: object): string[] => {
  const own = Object.keys((job as { variables?: object }).variables ?? {});
  const all = [...JSON.stringify(job).matchAll(/(?<!\$)\$([A-Z][A-Z_]*)/g)].map(([, name = ""]) => name);
  return [...new Set(all)].filter((name) => !name.startsWith("CI_") && !own.includes(name)).sort();
};

test("each template of GitLab reads the variables that the page names, and no others", () => {
  expect(Object.fromEntries(Object.entries(TEMPLATES).map(([name, job]) => [name, wantedBy(job)]))).toEqual(VARIABLES);
});

test("an application's file on GitLab has defaults for what its jobs would not take from it otherwise", () => {
  const { variables, jobs } = APPLICATION_FLOW;
  expect(variables).toEqual({ APP_DOCKERFILE: "Dockerfile", DELIVERY_MINUTES: "300" });
  expect(jobs.build.variables).toEqual({ DOCKERFILE: "$APP_DOCKERFILE" });
  const waits = Object.entries(jobs).flatMap(([name, job]) => (name.endsWith("-delivered") ? [(job as { variables: object }).variables] : []));
  expect(waits).toEqual(["dev", "stg", "prod"].map((stage) => ({ STAGE: stage, DELIVERED_WITHIN: "$DELIVERY_MINUTES" })));
});

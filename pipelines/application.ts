/** How an application goes from its source to production: workflows that its repository calls. */
import type { CallingJob, Workflow } from "./github";
import { jobNamed } from "./jobs";

const READ = { contents: "read" } as const;
const HOMELAB_TOKEN = { "homelab-token": { description: "Token that may push to main of the homelab, and read it", required: true } };
const text = (description: string, fallback?: string) =>
  ({ description, type: "string", ...(fallback === undefined ? { required: true } : { default: fallback }) }) as const;
const HOMELAB = text("Repository of the homelab, as owner/name");
const APP = text("Name of the application in the homelab, and of its image");

const deploy: Workflow = {
  file: "deploy.yml",
  name: "deploy",
  why: `Moves an application's image to a stage by \`homelab promote\`, renders the stage's manifests, and pushes both as one commit to main of the
homelab: that is what delivers it. The environment has the name of the stage; who approves production is asked there.`,
  on: {
    workflow_call: {
      inputs: {
        homelab: HOMELAB,
        "app-name": APP,
        stage: text("Stage that gets the image"),
        image: text("For the first stage: <repository>@sha256:…, as the build says it", ""),
        from: text("For a later stage: the stage whose image is taken; its own tests (verify) run first", ""),
        back: { description: "Whether the stage goes back to the image that it had before", type: "boolean", default: false },
      },
      secrets: HOMELAB_TOKEN,
    },
  },
  jobs: [{ job: jobNamed("deploy") }],
};

const PASSED = { homelab: "${{ inputs.homelab }}", "app-name": "${{ inputs.app-name }}" };
const TOKEN = { "homelab-token": "${{ secrets.homelab-token }}" };

/** A stage, its tests, and the way back where they fail. */
function stage(name: string, before: string, source: { readonly image: string } | { readonly from: string }): CallingJob[] {
  const job = { calls: "deploy.yml", permissions: READ, secrets: TOKEN };
  return [
    { ...job, name, title: `To ${name}`, needs: [before], with: { ...PASSED, stage: name, ...source } },
    {
      name: `${name}-tests`,
      title: `Tests of ${name}`,
      calls: "cypress.yml",
      needs: [name],
      permissions: READ,
      with: { "env-vars": `\${{ inputs.${name}-env-vars }}`, "wait-on": `\${{ inputs.${name}-url }}`, "working-directory": "${{ inputs.tests }}" },
    },
    {
      ...job,
      name: `${name}-back`,
      title: `Back in ${name}`,
      needs: [`${name}-tests`],
      if: `failure() && needs.${name}-tests.result == 'failure'`,
      with: { ...PASSED, stage: name, back: true },
    },
  ];
}

const application: Workflow = {
  file: "application.yml",
  name: "application",
  why: `Build, dev, its tests, stg, its tests, prod after an approval, its tests. Where a stage's tests fail it goes back to the image before, and
nothing goes further. Call it on pushes to main, in a concurrency group of the application.`,
  on: {
    workflow_call: {
      inputs: {
        homelab: HOMELAB,
        "app-name": APP,
        "app-context": text("Folder of the image's context"),
        registry: text("Host of the registry", "registry.fullstack.pw"),
        project: text("Project in the registry", "library"),
        version: text("A second tag of the image beside the commit's", ""),
        tests: text("Folder of the end-to-end tests", "."),
        ...Object.fromEntries(
          ["dev", "stg", "prod"].flatMap((name) => [
            [`${name}-url`, text(`Address of the application in ${name}, which the tests wait for`)],
            [`${name}-env-vars`, text(`JSON object of variables for the tests of ${name}`, "{}")],
          ]),
        ),
      },
      secrets: {
        ...HOMELAB_TOKEN,
        "registry-username": { description: "Account of the registry", required: true },
        "registry-password": { description: "Its password", required: true },
      },
    },
  },
  jobs: [
    {
      name: "build",
      title: "Build, scan, push",
      calls: "build-and-push.yml",
      permissions: { attestations: "write", contents: "read", "id-token": "write", "security-events": "write" },
      with: {
        "app-context": "${{ inputs.app-context }}",
        "app-name": "${{ inputs.app-name }}",
        registry: "${{ inputs.registry }}",
        project: "${{ inputs.project }}",
        version: "${{ inputs.version }}",
      },
      secrets: { "registry-username": "${{ secrets.registry-username }}", "registry-password": "${{ secrets.registry-password }}" },
    },
    ...stage("dev", "build", { image: "${{ inputs.registry }}/${{ inputs.project }}/${{ inputs.app-name }}@${{ needs.build.outputs.digest }}" }),
    ...stage("stg", "dev-tests", { from: "dev" }),
    ...stage("prod", "stg-tests", { from: "stg" }),
  ],
};

export const APPLICATION: readonly Workflow[] = [deploy, application];

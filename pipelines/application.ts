/** How an application goes from its source to production: workflows that its repository calls. */
import type { CallingJob, Workflow } from "./github";
import { jobNamed } from "./jobs";
import { IMAGE, LOGIN, REGISTRY } from "./reusable";
import { HOMELAB_MAIN, NODE } from "./steps";

const READ = { contents: "read" } as const;
const HOMELAB_TOKEN = { "homelab-token": { description: "Token that may push to main of the homelab, and read it and its runs", required: true } };
const text = (description: string, fallback?: string) =>
  ({ description, type: "string", ...(fallback === undefined ? { required: true } : { default: fallback }) }) as const;
const HOMELAB = text("Repository of the homelab, as owner/name");
const APP = text("Name of the application in the homelab, and of its image");

const deploy: Workflow = {
  file: "deploy.yml",
  name: "deploy",
  why: `Moves an application's image to a stage by \`homelab promote\`, renders the stage's manifests, and pushes both as one commit to main of the
homelab, which delivers it. The environment has the name of the stage: that of production asks for its approval.`,
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

const delivered: Workflow = {
  file: "delivered.yml",
  name: "delivered",
  why: `Waits until the homelab's own pipeline (up.yml) has delivered what was pushed for a stage: planned, approved where it asks for that, applied, and
rolled out. It reads that pipeline's runs, and has none of the homelab's secrets.`,
  on: {
    workflow_call: {
      inputs: { homelab: HOMELAB, stage: text("Stage that was pushed"), minutes: text("How long to wait, approvals included", "300") },
      secrets: HOMELAB_TOKEN,
    },
  },
  jobs: [{ job: jobNamed("delivered") }],
};

const REGISTRY_ACCOUNT = {
  "registry-username": { description: "Account of the registry", required: true },
  "registry-password": { description: "Its password", required: true },
};

const version: Workflow = {
  file: "version.yml",
  name: "version",
  why: `Gives what runs in production its version: a tag in the application's repository, from the commits since its last one, and the same name for
the image, by its digest. Where no commit calls for a release the image keeps its names.`,
  on: {
    workflow_call: {
      inputs: { homelab: HOMELAB, "app-name": APP, digest: text("Digest of the image, as the build says it"), ...REGISTRY },
      secrets: { ...HOMELAB_TOKEN, ...REGISTRY_ACCOUNT },
    },
  },
  jobs: [
    {
      outputs: { tag: "${{ steps.release.outputs.IMAGE_TAG }}" },
      job: {
        name: "version",
        title: "Tag of the application's repository",
        on: ["called"],
        only: "github",
        timeoutMinutes: 15,
        permissions: { contents: "write" },
        runner: "hosted",
        outside: true,
        secrets: { github: ["GITHUB_TOKEN"] },
        prepare: [
          { uses: "actions/checkout", with: { path: "app", "persist-credentials": false, "fetch-depth": 0 } },
          {
            uses: "actions/checkout",
            with: { path: "homelab", ...HOMELAB_MAIN, "persist-credentials": false },
          },
          NODE,
        ],
        steps: [
          { run: "make -C homelab bin/.built" },
          { id: "release", run: 'npm --prefix homelab run release -- --folder "$GITHUB_WORKSPACE/app" --tag-only --push --outputs "$GITHUB_OUTPUT"' },
        ],
      },
    },
    {
      job: {
        name: "tag",
        title: "The image under that name",
        on: ["called"],
        only: "github",
        timeoutMinutes: 15,
        permissions: {},
        runner: "hosted",
        outside: true,
        needs: ["version"],
        env: { IMAGE, DIGEST: "${{ inputs.digest }}", IMAGE_TAG: "${{ needs.version.outputs.tag }}" },
        prepare: [{ uses: "docker/setup-buildx-action" }, LOGIN],
        steps: [{ run: 'docker buildx imagetools create --tag "$IMAGE:$IMAGE_TAG" "$IMAGE@$DIGEST"' }],
      },
    },
  ],
};

const PASSED = { homelab: "${{ inputs.homelab }}", "app-name": "${{ inputs.app-name }}" };
const ACCOUNT = { "registry-username": "${{ secrets.registry-username }}", "registry-password": "${{ secrets.registry-password }}" };
const TOKEN = { "homelab-token": "${{ secrets.homelab-token }}" };

/** The jobs of a stage: the push, the wait until it is delivered, its tests, and the way back where one of the last two fails. */
function stage(name: string, before: string, source: { readonly image: string } | { readonly from: string }): CallingJob[] {
  const job = { calls: "deploy.yml", permissions: READ, secrets: TOKEN };
  const [wait, tests] = [`${name}-delivered`, `${name}-tests`];
  return [
    { ...job, name, title: `To ${name}`, needs: [before], with: { ...PASSED, stage: name, ...source } },
    {
      ...job,
      name: wait,
      title: `Runs in ${name}`,
      calls: "delivered.yml",
      needs: [name],
      with: { homelab: PASSED.homelab, stage: name, minutes: "${{ inputs.minutes }}" },
    },
    {
      name: tests,
      title: `Tests of ${name}`,
      calls: "cypress.yml",
      needs: [wait],
      permissions: READ,
      with: { "env-vars": `\${{ inputs.${name}-env-vars }}`, "wait-on": `\${{ inputs.${name}-url }}`, "working-directory": "${{ inputs.tests }}" },
    },
    {
      ...job,
      name: `${name}-back`,
      title: `Back in ${name}`,
      needs: [wait, tests],
      if: `failure() && (needs.${wait}.result == 'failure' || needs.${tests}.result == 'failure')`,
      with: { ...PASSED, stage: name, back: true },
    },
  ];
}

const application: Workflow = {
  file: "application.yml",
  name: "application",
  why: `Build, dev, its tests, stg, its tests, prod after an approval, its tests, and then the version. Where a stage is not delivered or its tests
fail, it goes back to the image before, and nothing goes further. Call it on pushes to main, in a concurrency group of the application.`,
  on: {
    workflow_call: {
      inputs: {
        homelab: HOMELAB,
        "app-name": APP,
        "app-context": text("Folder of the image's context"),
        "app-dockerfile": text("Dockerfile, below the context", "Dockerfile"),
        "build-args": text("Arguments of the Dockerfile, NAME=value, one a line", ""),
        ...REGISTRY,
        minutes: text("How long to wait for a stage, approvals included", "300"),
        tests: text("Folder of the end-to-end tests", "."),
        ...Object.fromEntries(
          ["dev", "stg", "prod"].flatMap((name) => [
            [`${name}-url`, text(`Address of the application in ${name}, which the tests wait for`)],
            [`${name}-env-vars`, text(`JSON object of variables for the tests of ${name}`, "{}")],
          ]),
        ),
      },
      secrets: { ...HOMELAB_TOKEN, ...REGISTRY_ACCOUNT },
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
        "app-dockerfile": "${{ inputs.app-dockerfile }}",
        "build-args": "${{ inputs.build-args }}",
        registry: "${{ inputs.registry }}",
        project: "${{ inputs.project }}",
      },
      secrets: ACCOUNT,
    },
    ...stage("dev", "build", { image: `${IMAGE}@\${{ needs.build.outputs.digest }}` }),
    ...stage("stg", "dev-tests", { from: "dev" }),
    ...stage("prod", "stg-tests", { from: "stg" }),
    {
      name: "version",
      title: "Version",
      calls: "version.yml",
      needs: ["build", "prod-tests"],
      permissions: { contents: "write" },
      with: { ...PASSED, digest: "${{ needs.build.outputs.digest }}", registry: "${{ inputs.registry }}", project: "${{ inputs.project }}" },
      secrets: { ...TOKEN, ...ACCOUNT },
    },
  ],
};

export const APPLICATION: readonly Workflow[] = [deploy, delivered, version, application];

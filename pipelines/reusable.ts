/** Workflows that other repositories call (`workflow_call`), with the inputs that their callers have today. */
import type { Workflow } from "./github";
import type { ActionStep, Job } from "./model";
import { checkout } from "./steps";

interface Input {
  readonly description: string;
  readonly type: "string" | "boolean";
  readonly required?: true;
  readonly default?: string | boolean;
}

const call = (inputs: Record<string, Input>, more: object = {}) => ({ workflow_call: { inputs, ...more } });
const HIGH = "CRITICAL,HIGH";
const base = { on: ["change"], only: "github", runner: "hosted", timeoutMinutes: 30 } as const satisfies Partial<Job>;

/** What fails a build: vulnerabilities of high severity that a newer package fixes. */
export const IMAGE_SCAN = { "scan-type": "image", severity: HIGH, "ignore-unfixed": true, "exit-code": "1" } as const;
export const IMAGE = "${{ inputs.registry }}/${{ inputs.project }}/${{ inputs.app-name }}";
/** Where images are, as inputs. */
export const REGISTRY: Readonly<Record<string, Input>> = {
  registry: { description: "Host of the registry. Left out: the variable REGISTRY of the caller", type: "string", default: "${{ vars.REGISTRY }}" },
  project: { description: "Project in the registry", type: "string", default: "library" },
};
export const LOGIN: ActionStep = {
  uses: "docker/login-action",
  with: { registry: "${{ inputs.registry }}", username: "${{ secrets.registry-username }}", password: "${{ secrets.registry-password }}" },
};
const LOCAL_IMAGE = "${{ inputs.app-name }}:scanned";
const BUILD = {
  context: "${{ inputs.app-context }}",
  file: "${{ inputs.app-context }}/${{ inputs.app-dockerfile }}",
  "build-args": "${{ inputs.build-args }}",
};
const CACHE = { "cache-from": "type=gha,scope=${{ inputs.app-name }}" };

const buildAndPush: Workflow = {
  file: "build-and-push.yml",
  name: "build and push",
  why: `Builds an image, scans it, and pushes it only then: with the tags <commit> and <version>, its list of parts (SBOM), its provenance, and a
signed attestation in the registry. Call it on pushes; for a pull request, with \`push: false\`, nothing is pushed and no secret is read.`,
  on: call(
    {
      "app-context": { description: "Folder of the image's context", type: "string", required: true },
      "app-name": { description: "Name of the image", type: "string", required: true },
      "app-dockerfile": { description: "Dockerfile, below the context", type: "string", default: "Dockerfile" },
      "build-args": { description: "Arguments of the Dockerfile, NAME=value, one a line; one of several lines in double quotes", type: "string", default: "" },
      ...REGISTRY,
      version: { description: "A second tag beside the commit's; none where it is empty", type: "string", default: "" },
      push: { description: "Whether to push what was built and scanned", type: "boolean", default: true },
    },
    {
      secrets: {
        "registry-username": { description: "Account of the registry", required: false },
        "registry-password": { description: "Its password", required: false },
      },
      outputs: { digest: { description: "Digest of the image that was pushed", value: "${{ jobs.build.outputs.digest }}" } },
    },
  ),
  jobs: [
    {
      outputs: { digest: "${{ steps.push.outputs.digest }}" },
      job: {
        ...base,
        name: "build",
        title: "Build, scan, push",
        permissions: { attestations: "write", contents: "read", "id-token": "write", "security-events": "write" },
        prepare: [checkout()],
        steps: [
          { uses: "docker/setup-buildx-action" },
          {
            name: "Build",
            uses: "docker/build-push-action",
            with: { ...BUILD, ...CACHE, load: true, tags: LOCAL_IMAGE, "cache-to": "type=gha,mode=max,scope=${{ inputs.app-name }}" },
          },
          {
            name: "Scan",
            uses: "aquasecurity/trivy-action",
            with: { ...IMAGE_SCAN, "image-ref": LOCAL_IMAGE, format: "sarif", output: "image.sarif", "limit-severities-for-sarif": true },
          },
          {
            uses: "github/codeql-action/upload-sarif",
            if: "always() && github.event.pull_request.head.repo.fork != true && hashFiles('image.sarif') != ''",
            with: { sarif_file: "image.sarif", category: "image-${{ inputs.app-name }}" },
          },
          { ...LOGIN, if: "inputs.push" },
          {
            name: "Push",
            id: "push",
            if: "inputs.push",
            uses: "docker/build-push-action",
            with: {
              ...BUILD,
              ...CACHE,
              push: true,
              provenance: "mode=max",
              sbom: true,
              tags: `${IMAGE}:\${{ github.sha }}\n\${{ inputs.version != '' && format('{0}/{1}/{2}:{3}', inputs.registry, inputs.project, inputs.app-name, inputs.version) || '' }}`,
            },
          },
          {
            name: "Sign",
            if: "inputs.push",
            uses: "actions/attest-build-provenance",
            with: { "subject-name": IMAGE, "subject-digest": "${{ steps.push.outputs.digest }}", "push-to-registry": true },
          },
        ],
      },
    },
  ],
};

const iacTests: Workflow = {
  file: "iac-tests.yml",
  name: "iac tests",
  why: "Scans a folder for misconfigurations. Findings of CRITICAL and HIGH fail it, and are uploaded all the same.",
  on: call({ "iac-directory": { description: "Folder to scan", type: "string", required: true } }),
  jobs: [
    {
      job: {
        ...base,
        name: "scan",
        title: "Misconfigurations",
        permissions: { contents: "read", "security-events": "write" },
        prepare: [checkout()],
        steps: [
          {
            uses: "aquasecurity/trivy-action",
            with: {
              "scan-type": "config",
              "scan-ref": "${{ inputs.iac-directory }}",
              format: "sarif",
              output: "iac.sarif",
              severity: HIGH,
              "limit-severities-for-sarif": true,
              "exit-code": "1",
            },
          },
          {
            uses: "github/codeql-action/upload-sarif",
            if: "always() && github.event.pull_request.head.repo.fork != true && hashFiles('iac.sarif') != ''",
            with: { sarif_file: "iac.sarif", category: "iac-${{ inputs.iac-directory }}" },
          },
        ],
      },
    },
  ],
};

const goTests: Workflow = {
  file: "go-tests.yml",
  name: "go tests",
  why: "Tests and lints a Go module, with the Go that its go.mod asks for.",
  on: call({ "go-dir": { description: "Folder of the module", type: "string", required: true } }),
  jobs: [
    {
      job: {
        ...base,
        name: "test",
        title: "Tests and golangci-lint",
        permissions: { contents: "read" },
        prepare: [checkout()],
        steps: [
          { uses: "actions/setup-go", with: { "go-version-file": "${{ inputs.go-dir }}/go.mod", cache: false } },
          { run: "go mod verify", folder: "${{ inputs.go-dir }}" },
          { run: "go test -race ./...", folder: "${{ inputs.go-dir }}" },
          { uses: "golangci/golangci-lint-action", with: { version: "v2.12", "working-directory": "${{ inputs.go-dir }}", "skip-cache": true } },
        ],
      },
    },
  ],
};

const cypress: Workflow = {
  file: "cypress.yml",
  name: "cypress",
  why: "Runs a folder's end-to-end tests. The variables of `env-vars` are in the environment of the tests and of the started program.",
  on: call({
    start: { description: "Command that starts what is tested; none where it is empty", type: "string", default: "" },
    "env-vars": { description: 'JSON object of variables, such as {"CYPRESS_BASE_URL": "https://dev.app.example"}', type: "string", default: "{}" },
    "wait-on": { description: "Address to wait for before the tests", type: "string", default: "" },
    "working-directory": { description: "Folder of the tests", type: "string", default: "." },
  }),
  jobs: [
    {
      job: {
        ...base,
        name: "test",
        title: "End-to-end tests",
        permissions: { contents: "read" },
        prepare: [checkout()],
        steps: [
          {
            uses: "cypress-io/github-action",
            with: {
              start: "${{ inputs.start }}",
              "wait-on": "${{ inputs.wait-on }}",
              "working-directory": "${{ inputs.working-directory }}",
              "install-command": "npm ci",
              "package-manager-cache": false,
            },
            env: "${{ fromJSON(inputs.env-vars) }}",
          },
        ],
      },
    },
  ],
};

export const REUSABLE: readonly Workflow[] = [buildAndPush, iacTests, goTests, cypress];

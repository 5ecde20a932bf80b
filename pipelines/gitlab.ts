/** The description as GitLab's `.gitlab-ci.yml`, and the templates that other projects include. */
import { stringify } from "yaml";
import { comment } from "./github";
import { JOBS, jobNamed, NODE_VERSION } from "./jobs";
import { commandFor, isRun, type Job, type Trigger } from "./model";

/** Images by what they are for. By version: a digest is the adopter's to add, from a registry that is theirs. */
const IMAGES = {
  node: `node:${NODE_VERSION}-bookworm`,
  trivy: "aquasec/trivy:0.72.0",
  trufflehog: "trufflesecurity/trufflehog:3.97.0",
  docker: "docker:28.5.2",
  dind: "docker:28.5.2-dind",
  go: "golangci/golangci-lint:v2.12.0",
  cypress: "cypress/included:15.7.0",
} as const;

const STAGES = ["validate", "preview", "nightly", "up", "release"] as const;
type Stage = (typeof STAGES)[number];

const STAGE_OF: Readonly<Record<string, Stage>> = {
  preview: "preview",
  comment: "preview",
  nightly: "nightly",
  "real-parts": "nightly",
  drift: "nightly",
  "drift-issue": "nightly",
  release: "release",
  plan: "up",
  up: "up",
  deploy: "up",
};

/** One at a time, never cut by a newer pipeline, and a deployment of its environment; of the others the environment holds variables alone. */
const DEPLOYS: ReadonlySet<string> = new Set(["release", "up", "deploy"]);

const ON_CHANGE = { if: '$CI_PIPELINE_SOURCE == "merge_request_event"' };
const ON_MAIN = { if: '$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH && $CI_PIPELINE_SOURCE == "push"' };
const RULES: Readonly<Record<Trigger, { readonly if: string; readonly when?: string; readonly allow_failure?: true }>> = {
  change: ON_CHANGE,
  main: ON_MAIN,
  nightly: { if: '$CI_PIPELINE_SOURCE == "schedule"' },
  called: { if: '$CI_PIPELINE_SOURCE == "pipeline" && $DEPLOY_APP' },
  // A job that waits for a hand holds no pipeline up.
  "by-hand": { ...ON_MAIN, when: "manual", allow_failure: true },
};

const RUNNER_TAGS = { hosted: undefined, homelab: ["homelab"] } as const;

/** A job on the homelab's runner waits for ever where there is none: the variable says that there is. */
function rulesOf(job: Job): object[] {
  const wantsRunner = [job, ...(job.needs ?? []).map(jobNamed)].some(({ runner }) => runner === "homelab");
  return job.on.map((trigger) => {
    const rule = wantsRunner ? { ...RULES[trigger], if: `${RULES[trigger].if} && $HOMELAB_RUNNER == "true"` } : RULES[trigger];
    return job.always ? { ...rule, when: "always" } : rule;
  });
}

function variablesOf(job: Job): object {
  const variables = {
    ...(job.depth === undefined ? {} : { GIT_DEPTH: String(job.depth) }),
    // What earlier runs left in doubt stays where it was written.
    ...(job.runner === "homelab" ? { GIT_CLEAN_FLAGS: "-ffdx -e .homelab/" } : {}),
  };
  return Object.keys(variables).length === 0 ? {} : { variables };
}

function jobOf(job: Job): object {
  const tags = RUNNER_TAGS[job.runner];
  const environment = job.environment?.gitlab;
  return {
    extends: ".node",
    stage: STAGE_OF[job.name] ?? "validate",
    timeout: `${job.timeoutMinutes} minutes`,
    rules: rulesOf(job),
    ...(tags === undefined ? {} : { tags }),
    ...variablesOf(job),
    // `access` asks for no deployment.
    ...(environment === undefined ? {} : { environment: DEPLOYS.has(job.name) ? { name: environment } : { name: environment, action: "access" } }),
    ...(job.needs === undefined ? {} : { needs: job.needs.map((name) => ({ job: name, artifacts: true })) }),
    ...(DEPLOYS.has(job.name) ? { interruptible: false, resource_group: job.name } : {}),
    script: job.steps.filter(isRun).map(({ run }) => commandFor(run, "gitlab")),
    ...(job.artefacts === undefined ? {} : { artifacts: { when: "always", expire_in: "1 week", paths: job.artefacts.paths } }),
  };
}

const image = (name: string): object => ({ name, entrypoint: [""] });

/** Scans are images here and actions on GitHub (workflows.ts). */
const SCANS = {
  trivy: {
    extends: ".iac-tests-template",
    stage: "validate",
    rules: [ON_CHANGE, ON_MAIN],
    variables: { IAC_DIR: "." },
  },
  trufflehog: {
    stage: "validate",
    image: image(IMAGES.trufflehog),
    timeout: "20 minutes",
    rules: [ON_CHANGE, ON_MAIN],
    variables: { GIT_DEPTH: "0" },
    script: ["trufflehog git --fail --no-update --results=verified,unknown file://."],
  },
};

const TEMPLATES = {
  ".node": { image: IMAGES.node, interruptible: true },
  ".iac-tests-template": {
    image: image(IMAGES.trivy),
    timeout: "20 minutes",
    script: ['trivy config --exit-code 1 --severity CRITICAL,HIGH --format sarif --output trivy.sarif "$IAC_DIR"'],
    artifacts: { when: "always", expire_in: "1 week", paths: ["trivy.sarif"] },
  },
  ".go_tests": {
    image: IMAGES.go,
    timeout: "30 minutes",
    before_script: ['cd "$GO_DIR"'],
    script: ["go mod verify", "go test -race ./...", "golangci-lint run"],
  },
  ".build-docker-image-template": {
    image: IMAGES.docker,
    services: [IMAGES.dind],
    timeout: "30 minutes",
    variables: { DOCKER_TLS_CERTDIR: "/certs", IMAGE: "$CI_REGISTRY_IMAGE/$APP_NAME", DOCKERFILE: "Dockerfile", VERSION: "$CI_COMMIT_SHA" },
    script: [
      'printenv CI_REGISTRY_PASSWORD | docker login --username "$CI_REGISTRY_USER" --password-stdin "$CI_REGISTRY"',
      "docker buildx create --use --driver docker-container",
      'docker buildx build --pull --push --sbom=true --provenance=mode=max --cache-from "type=registry,ref=$IMAGE:cache" --cache-to "type=registry,ref=$IMAGE:cache,mode=max" --file "$APP_CONTEXT/$DOCKERFILE" --tag "$IMAGE:$CI_COMMIT_SHA" --tag "$IMAGE:$VERSION" "$APP_CONTEXT"',
    ],
  },
  ".scan-image-template": {
    image: image(IMAGES.trivy),
    timeout: "20 minutes",
    variables: {
      IMAGE: "$CI_REGISTRY_IMAGE/$APP_NAME",
      TRIVY_USERNAME: "$CI_REGISTRY_USER",
      TRIVY_PASSWORD: "$CI_REGISTRY_PASSWORD",
      GIT_STRATEGY: "none",
    },
    script: ['trivy image --exit-code 1 --severity CRITICAL,HIGH --ignore-unfixed --format sarif --output image.sarif "$IMAGE:$CI_COMMIT_SHA"'],
    artifacts: { when: "always", expire_in: "1 week", paths: ["image.sarif"] },
  },
  // The homelab's own pipeline does it, with its own token: the application's has none.
  ".deploy-app-template": {
    trigger: { project: "$HOMELAB_PROJECT", branch: "main", strategy: "depend" },
    variables: { DEPLOY_APP: "$APP_NAME", DEPLOY_TO: "$STAGE", DEPLOY_IMAGE: "", DEPLOY_FROM: "", DEPLOY_BACK: "false" },
  },
  ".cypress-template": {
    image: image(IMAGES.cypress),
    timeout: "30 minutes",
    script: ['npm --prefix "$CYPRESS_DIR" ci', 'cypress run --project "$CYPRESS_DIR"'],
    artifacts: { when: "on_failure", expire_in: "1 week", paths: ["$CYPRESS_DIR/cypress/screenshots"] },
  },
};

const HEAD = "# Made by `npm run pipelines` from pipelines/: edit there.";
const yaml = (value: object): string => stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });
const each = (entries: Record<string, object>): string =>
  Object.entries(entries)
    .map(([name, value]) => `\n${yaml({ [name]: value })}`)
    .join("");

/** Jobs of {@link JOBS}, each with its title above it. */
function jobsText(): string {
  return JOBS.filter(({ only }) => only !== "github")
    .map((job) => `\n${comment(job.title)}\n${yaml({ [job.name]: jobOf(job) })}`)
    .join("");
}

const TEMPLATE_FILE = ".gitlab/ci-templates.yml";

/** Files by path below the checkout. */
export function renderGitlab(): Record<string, string> {
  const top = {
    stages: STAGES,
    // One pipeline a change: that of the merge request, and none of its branch beside it.
    workflow: { auto_cancel: { on_new_commit: "interruptible" }, rules: [ON_CHANGE, ON_MAIN, RULES.nightly, RULES.called] },
    include: [{ local: `/${TEMPLATE_FILE}` }],
  };
  const main = `${HEAD}\n${comment("What runs when: docs/pipelines.md.")}\n${yaml(top)}${jobsText()}${each(SCANS)}`;
  const templates = `${HEAD}\n${comment("For `include` by other projects; what each wants set is in docs/pipelines.md.")}${each(TEMPLATES)}`;
  return { ".gitlab-ci.yml": main, [TEMPLATE_FILE]: templates };
}

/** What other projects on GitLab include: templates of jobs, and the flow of an application that is made of them. */
import { NODE_VERSION } from "./steps";

/** Images by purpose, with their versions. Adopters add digests themselves, from their own registry. */
export const IMAGES = {
  node: `node:${NODE_VERSION}-bookworm`,
  trivy: "aquasec/trivy:0.72.0",
  trufflehog: "trufflesecurity/trufflehog:3.97.0",
  docker: "docker:28.5.2",
  dind: "docker:28.5.2-dind",
  go: "golangci/golangci-lint:v2.12.0",
  cypress: "cypress/included:15.7.0",
} as const;

/** Arguments of trivy for an image: what fails a build, as `IMAGE_SCAN` of reusable.ts has it for GitHub's action. */
export const TRIVY_IMAGE = "image --exit-code 1 --severity CRITICAL,HIGH --ignore-unfixed";

export const image = (name: string): object => ({ name, entrypoint: [""] });

const LOGIN = 'printenv CI_REGISTRY_PASSWORD | docker login --username "$CI_REGISTRY_USER" --password-stdin "$CI_REGISTRY"';

export const TEMPLATES = {
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
      LOGIN,
      "docker buildx create --use --driver docker-container",
      'docker buildx build --pull --push --sbom=true --provenance=mode=max --cache-from "type=registry,ref=$IMAGE:cache" --cache-to "type=registry,ref=$IMAGE:cache,mode=max" --file "$APP_CONTEXT/$DOCKERFILE" --tag "$IMAGE:$CI_COMMIT_SHA" --tag "$IMAGE:$VERSION" "$APP_CONTEXT"',
      // The digest, by which later jobs name the image.
      'docker buildx imagetools inspect "$IMAGE:$CI_COMMIT_SHA" --format "IMAGE_DIGEST={{.Manifest.Digest}}" | tee image.env',
    ],
    artifacts: { expire_in: "1 week", reports: { dotenv: "image.env" } },
  },
  // The same image under another name, such as its version.
  ".tag-image-template": {
    image: IMAGES.docker,
    services: [IMAGES.dind],
    timeout: "15 minutes",
    variables: { DOCKER_TLS_CERTDIR: "/certs", IMAGE: "$CI_REGISTRY_IMAGE/$APP_NAME", GIT_STRATEGY: "none" },
    script: [LOGIN, 'docker buildx imagetools create --tag "$IMAGE:$IMAGE_TAG" "$IMAGE@$IMAGE_DIGEST"'],
  },
  // A tag in the project, from its commits since the last one. The program is the homelab's, which the job's own token may read.
  ".version-template": {
    image: IMAGES.node,
    timeout: "15 minutes",
    interruptible: false,
    resource_group: "version",
    environment: { name: "release", action: "access" },
    variables: {
      GIT_DEPTH: "0",
      GIT_CONFIG_COUNT: "1",
      GIT_CONFIG_KEY_0: "credential.helper",
      GIT_CONFIG_VALUE_0: '!f() { test "$$1" = get && printf "username=gitlab-ci-token\\npassword=%s\\n" "$$CI_JOB_TOKEN"; }; f',
    },
    script: [
      'git clone --quiet --depth 1 "$CI_SERVER_URL/$HOMELAB_PROJECT.git" .homelab-program',
      "make -C .homelab-program bin/.built",
      'npm --prefix .homelab-program run release -- --folder "$CI_PROJECT_DIR" --tag-only --push --outputs "$CI_PROJECT_DIR/version.env"',
    ],
    artifacts: { expire_in: "1 week", reports: { dotenv: "version.env" } },
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
    script: [`trivy ${TRIVY_IMAGE} --format sarif --output image.sarif "$IMAGE:$CI_COMMIT_SHA"`],
    artifacts: { when: "always", expire_in: "1 week", paths: ["image.sarif"] },
  },
  // The homelab's own pipeline does it, with its own token: the application's has none.
  ".deploy-app-template": {
    trigger: { project: "$HOMELAB_PROJECT", branch: "main", strategy: "depend" },
    variables: { DEPLOY_APP: "$APP_NAME", DEPLOY_TO: "$STAGE", DEPLOY_IMAGE: "", DEPLOY_FROM: "", DEPLOY_BACK: "false" },
  },
  ".delivered-template": {
    trigger: { project: "$HOMELAB_PROJECT", branch: "main", strategy: "depend" },
    variables: { DELIVERED_TO: "$STAGE", DELIVERED_WITHIN: "300" },
  },
  ".cypress-template": {
    image: image(IMAGES.cypress),
    timeout: "30 minutes",
    script: ['npm --prefix "$CYPRESS_DIR" ci', 'cypress run --project "$CYPRESS_DIR"'],
    artifacts: { when: "on_failure", expire_in: "1 week", paths: ["$CYPRESS_DIR/cypress/screenshots"] },
  },
};

const ON_MAIN = [{ if: '$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH && $CI_PIPELINE_SOURCE == "push"' }];
const NAMES = ["dev", "stg", "prod"] as const;
const after = (...jobs: string[]) => ({ needs: jobs.map((job) => ({ job, artifacts: true })), rules: ON_MAIN });

/** The jobs of a stage: the push, the wait until it is delivered, its tests, and the way back where one of the last two fails. */
function stage(name: (typeof NAMES)[number], before: readonly string[], source: object): Record<string, object> {
  const [wait, tests] = [`${name}-delivered`, `${name}-tests`];
  const variables = { STAGE: name };
  return {
    // A trigger's own variables override those of its template. The template's other variables are passed too.
    [name]: { extends: ".deploy-app-template", stage: name, ...after(...before), variables: { ...variables, ...source } },
    [wait]: { extends: ".delivered-template", stage: name, ...after(name), variables: { ...variables, DELIVERED_WITHIN: "$DELIVERY_MINUTES" } },
    [tests]: { extends: ".cypress-template", stage: name, ...after(wait), variables: { CYPRESS_BASE_URL: `$${name.toUpperCase()}_URL` } },
    [`${name}-back`]: {
      extends: ".deploy-app-template",
      stage: name,
      needs: [wait, tests],
      rules: ON_MAIN.map((rule) => ({ ...rule, when: "on_failure" })),
      variables: { ...variables, DEPLOY_BACK: "true" },
    },
  };
}

/** `.gitlab/application.yml`: stages and jobs by name. */
export const APPLICATION_FLOW = {
  stages: ["build", ...NAMES, "version"],
  workflow: { rules: ON_MAIN },
  // Of the file that includes this one, variables of the same names take their place; those of a job would not give way.
  variables: { APP_DOCKERFILE: "Dockerfile", DELIVERY_MINUTES: "300" },
  jobs: {
    build: { extends: ".build-docker-image-template", stage: "build", rules: ON_MAIN, variables: { DOCKERFILE: "$APP_DOCKERFILE" } },
    scan: { extends: ".scan-image-template", stage: "build", ...after("build") },
    ...stage("dev", ["scan", "build"], { DEPLOY_IMAGE: "$CI_REGISTRY_IMAGE/$APP_NAME@$IMAGE_DIGEST" }),
    ...stage("stg", ["dev-tests"], { DEPLOY_FROM: "dev" }),
    ...stage("prod", ["stg-tests"], { DEPLOY_FROM: "stg" }),
    version: { extends: ".version-template", stage: "version", ...after("prod-tests") },
    "version-of-image": { extends: ".tag-image-template", stage: "version", ...after("build", "version") },
  },
};

/** The description as GitLab's `.gitlab-ci.yml`, and the templates that other projects include. */
import { portableYaml } from "../common/yaml";
import { comment } from "./github";
import { APPLICATION_FLOW, IMAGES, image, TEMPLATES } from "./gitlab-templates";
import { JOBS, jobNamed } from "./jobs";
import { commandFor, isRun, type Job, type Trigger } from "./model";
import { CHILD_OF, IMAGES_LIST, PLAN, PREVIEW, UP } from "./steps";

const STAGES = ["validate", "preview", "nightly", "release", "up", "images"] as const;
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
  rollout: "up",
  deploy: "up",
  delivered: "up",
  [IMAGES_LIST]: "images",
};

/** Jobs that wait for no earlier stage: the preview runs even where a check of the change fails. */
const AT_ONCE: ReadonlySet<string> = new Set([PREVIEW]);

/** Jobs that run one at a time, are never cancelled by a newer pipeline, and deploy to their environment. Others only use its variables. */
const DEPLOYS: ReadonlySet<string> = new Set(["release", "up", "deploy"]);

const ON_CHANGE = { if: '$CI_PIPELINE_SOURCE == "merge_request_event"' };
const ON_MAIN = { if: '$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH && $CI_PIPELINE_SOURCE == "push"' };
/** Without `by-hand`: a schedule has a button of its own, and `up` waits for its approval in a child pipeline (gitlab-up.ts). */
const RULES: Readonly<Record<Exclude<Trigger, "by-hand">, { readonly if: string }>> = {
  change: ON_CHANGE,
  main: ON_MAIN,
  nightly: { if: '$CI_PIPELINE_SOURCE == "schedule"' },
  called: { if: '$CI_PIPELINE_SOURCE == "pipeline"' },
};

const RUNNER_TAGS = { hosted: undefined, homelab: ["homelab"] } as const;

/** In a stage of their own, after all others, so that no release waits for an image. On main they need a registry to push to. */
const WHERE_IMAGES_DIFFER = [ON_CHANGE, { if: `${ON_MAIN.if} && $REGISTRY` }].map((rule) => ({ ...rule, changes: ["images/**/*"] }));

/** Without a runner in the homelab, a job for it would wait for ever. The variable says that there is one. */
function rulesOf(job: Job): object[] {
  const wantsRunner = [job, ...(job.needs ?? []).map(jobNamed)].some(({ runner }) => runner === "homelab");
  const conditions = [...(wantsRunner ? ['$HOMELAB_RUNNER == "true"'] : []), ...(job.calledWith === undefined ? [] : [`$${job.calledWith}`])];
  return job.on
    .filter((trigger) => trigger !== "by-hand")
    .map((trigger) => {
      const rule = { ...RULES[trigger], if: [RULES[trigger].if, ...conditions].join(" && ") };
      return job.always ? { ...rule, when: "always" } : rule;
    });
}

function variablesOf(job: Job): object {
  const variables = {
    ...(job.depth === undefined ? {} : { GIT_DEPTH: String(job.depth) }),
    // `.homelab` is kept: it says what earlier runs left in doubt.
    ...(job.runner === "homelab" ? { GIT_CLEAN_FLAGS: "-ffdx -e .homelab/" } : {}),
  };
  return Object.keys(variables).length === 0 ? {} : { variables };
}

const pathsOf = ({ paths, child: file }: NonNullable<Job["artefacts"]>): readonly string[] => (file === undefined ? paths : [...paths, file]);

/** Runs another job's artefact as a child pipeline. This job fails where a job of the child fails, and waits while one waits. */
const child = (artifact: string, job: string) => ({ include: [{ artifact, job }], strategy: "depend" });

/** What jobs have on GitLab in addition to their description, or instead of it. */
const OWN: Readonly<Record<string, object>> = {
  [IMAGES_LIST]: { interruptible: false, rules: WHERE_IMAGES_DIFFER, needs: [] },
};

/** @param rules when the job runs; default: those of its triggers */
export function jobOf(job: Job, rules = rulesOf(job)): object {
  const tags = RUNNER_TAGS[job.runner];
  const environment = job.environment?.gitlab;
  return {
    extends: ".node",
    stage: STAGE_OF[job.name] ?? "validate",
    timeout: `${job.timeoutMinutes} minutes`,
    rules,
    ...(tags === undefined ? {} : { tags }),
    ...variablesOf(job),
    // `access` asks for no deployment.
    ...(environment === undefined ? {} : { environment: DEPLOYS.has(job.name) ? { name: environment } : { name: environment, action: "access" } }),
    ...(AT_ONCE.has(job.name) ? { needs: [] } : {}),
    ...(job.needs === undefined ? {} : { needs: job.needs.map((name) => ({ job: name, artifacts: true })) }),
    ...(DEPLOYS.has(job.name) ? { interruptible: false, resource_group: job.name } : {}),
    script: job.steps.filter(isRun).map(({ run }) => commandFor(run, "gitlab")),
    ...(job.artefacts === undefined ? {} : { artifacts: { when: "always", expire_in: "1 week", paths: pathsOf(job.artefacts) } }),
    ...OWN[job.name],
  };
}

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

const IMAGE_JOBS = {
  images: { stage: "images", rules: WHERE_IMAGES_DIFFER, needs: [IMAGES_LIST], trigger: child(CHILD_OF.images, IMAGES_LIST) },
};

/** The plan decides whether it waits for an approval (gitlab-up.ts). */
const UP_AS_CHILD = { stage: "up", rules: rulesOf(jobNamed(UP)), needs: [PLAN], trigger: child(CHILD_OF.plan, PLAN) };

const HEAD = "# Made by `npm run pipelines` from pipelines/: edit there.";
const yaml = (value: object): string => portableYaml(value, { aliasDuplicateObjects: false });
const each = (entries: Record<string, object>): string =>
  Object.entries(entries)
    .map(([name, value]) => `\n${yaml({ [name]: value })}`)
    .join("");

/** Jobs of {@link JOBS}, each with its title above it. */
function jobsText(): string {
  return JOBS.filter(({ only }) => only !== "github")
    .map((job) => `\n${comment(job.title)}\n${yaml({ [job.name]: job.name === UP ? UP_AS_CHILD : jobOf(job) })}`)
    .join("");
}

const TEMPLATE_FILE = ".gitlab/ci-templates.yml";
const FLOW_FILE = ".gitlab/application.yml";

/** Files by path below the checkout. */
export function renderGitlab(): Record<string, string> {
  const top = {
    stages: STAGES,
    // One pipeline for each change: that of the merge request, and none of its branch.
    workflow: { auto_cancel: { on_new_commit: "interruptible" }, rules: [ON_CHANGE, ON_MAIN, RULES.nightly, RULES.called] },
    include: [{ local: `/${TEMPLATE_FILE}` }],
  };
  const main = `${HEAD}\n${comment("What runs when: docs/pipelines.md.")}\n${yaml(top)}${jobsText()}${each(SCANS)}${each(IMAGE_JOBS)}`;
  const templates = `${HEAD}\n${comment("For `include` by other projects; what each wants set is in docs/pipelines.md.")}${each(TEMPLATES)}`;
  const { jobs, ...flow } = APPLICATION_FLOW;
  const why = `For \`include\` by an application's project: build, dev, its tests, stg, its tests, prod after an approval, its tests, version. Where a stage
is not delivered or its tests fail it goes back to the image before, and nothing goes further. What it wants set is in docs/pipelines.md.`;
  const application = `${HEAD}\n${comment(why)}\n${yaml({ ...flow, include: [{ local: `/${TEMPLATE_FILE}` }] })}${each(jobs)}`;
  return { ".gitlab-ci.yml": main, [TEMPLATE_FILE]: templates, [FLOW_FILE]: application };
}

/** Each job's environment, which has its secrets and its approval, and its concurrency group, in which a newer run may end it. */
import * as path from "node:path";
import { parse } from "yaml";
import { renderAll } from "../../pipelines/files";
import { upPipeline } from "../../pipelines/gitlab-up";

interface Job {
  rules?: object[];
  environment?: string | { name: string; action?: string };
}
interface Workflow {
  on: Record<string, unknown>;
  concurrency?: { group: string; "cancel-in-progress": boolean | string };
  jobs: Record<string, Job>;
}
const files = Object.entries(renderAll());
const workflows = files.flatMap(([file, text]) => (file.startsWith(".github/") ? [[path.basename(file), parse(text) as Workflow] as const] : []));
const jobsIn = (text: string) => Object.entries(parse(text) as Record<string, Job | unknown[]>);
const onGitlab = [...jobsIn(renderAll()[".gitlab-ci.yml"] ?? ""), ...jobsIn(upPipeline({ changed: true, pipeline: "1" }))];

test("each job's environment on GitHub: approvals and the homelab's secrets are in these, and no other job is in one", () => {
  const found = workflows.flatMap(([file, { jobs }]) =>
    Object.entries(jobs).flatMap(([name, { environment }]) => (environment === undefined ? [] : [[`${file}/${name}`, environment]])),
  );
  expect(Object.fromEntries(found)).toEqual({
    "release.yml/release": "release",
    "up.yml/plan": "plan",
    "up.yml/up": "prod",
    "up.yml/rollout": "plan",
    "drift.yml/drift": "plan",
    "deploy.yml/deploy": "${{ inputs.stage }}",
  });
});

test("each job's environment on GitLab: a deployment where it changes something, and variables alone elsewhere", () => {
  const found = onGitlab.flatMap(([name, job]) => (Array.isArray(job) || job?.environment === undefined ? [] : [[name, job.environment]]));
  const access = (name: string) => ({ name, action: "access" });
  expect(Object.fromEntries(found)).toEqual({
    comment: access("comment"),
    release: { name: "release" },
    deploy: { name: "deploy/$DEPLOY_TO" },
    delivered: access("delivered"),
    plan: access("plan"),
    up: { name: "prod" },
    rollout: access("plan"),
    drift: access("plan"),
    "drift-issue": access("issue"),
  });
});

test("each night drift is looked for, whoever pushes nothing", () => {
  const crons = workflows.flatMap(([file, { on }]) => ((on["schedule"] ?? []) as { cron: string }[]).map(({ cron }) => [file, cron]));
  expect(Object.fromEntries(crons)).toEqual({ "drift.yml": "41 4 * * *", "nightly.yml": "23 1 * * *", "security.yml": "17 4 * * 1" });
  const drift = workflows.find(([file]) => file === "drift.yml")?.[1].jobs ?? {};
  expect(Object.keys(drift)).toEqual(["drift", "drift-issue"]);
  // No condition of its jobs names an event: a schedule runs them.
  for (const job of Object.values(drift)) expect(JSON.stringify(job)).not.toContain("event_name");
  // The schedule of GitLab is made in its settings (docs/pipelines.md). Of the jobs for the homelab itself these two run on it, and on nothing else.
  const scheduled = onGitlab.flatMap(([name, job]) =>
    Array.isArray(job) || !JSON.stringify(job).includes('== \\"schedule\\" && $HOMELAB_RUNNER') ? [] : [[name, job.rules?.length]],
  );
  expect(Object.fromEntries(scheduled)).toEqual({ drift: 1, "drift-issue": 1 });
});

test("a newer run ends an older one of a change, and of main only the lab's", () => {
  const found = workflows.flatMap(([file, { concurrency }]) => (concurrency === undefined ? [] : [[file, concurrency["cancel-in-progress"]]]));
  const ofChange = "${{ github.event_name == 'pull_request' }}";
  expect(Object.fromEntries(found)).toEqual({
    "checks.yml": ofChange,
    "security.yml": ofChange,
    "preview.yml": true,
    "images-of-change.yml": true,
    "lab-of-main.yml": true,
    ...Object.fromEntries(["comment", "nightly", "release", "up", "drift", "images"].map((name) => [`${name}.yml`, false])),
  });
});

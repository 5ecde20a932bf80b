/**
 * `up` on GitLab. Only the plan knows whether somebody has to approve it, but GitLab decides before the first job of a pipeline which of its jobs
 * are manual. So `plan` writes a pipeline, and the job `up` runs that as its child pipeline: with the manual job, or with one that says that
 * nothing would change.
 */
import { portableYaml } from "../common/yaml";
import { jobOf } from "./gitlab";
import { IN_CHILD } from "./gitlab-images";
import { IMAGES } from "./gitlab-templates";
import { jobNamed } from "./jobs";
import { PLAN, UP } from "./steps";

const NOTHING = { "nothing-to-change": { image: IMAGES.node, timeout: "5 minutes", rules: IN_CHILD, script: ["echo the plan changes nothing"] } };

/** @param changed whether the plan changes anything; @param pipeline number of the pipeline whose job `plan` has the plan as an artefact */
export function upPipeline({ changed, pipeline }: { readonly changed: boolean; readonly pipeline: string }): string {
  // Without `allow_failure: false` GitLab would not wait: it treats a pipeline that has only optional manual jobs as skipped, and `up` as failed.
  const rules = IN_CHILD.map((rule) => ({ ...rule, when: "manual", allow_failure: false }));
  const { extends: _, stage: __, ...up } = jobOf(jobNamed(UP), rules) as Record<string, unknown>;
  const jobs = changed ? { [UP]: { image: IMAGES.node, ...up, needs: [{ pipeline, job: PLAN }] } } : NOTHING;
  return portableYaml({ workflow: { rules: IN_CHILD }, ...jobs }, { aliasDuplicateObjects: false });
}

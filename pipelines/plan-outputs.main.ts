/**
 * `npm run plan:outputs -- REPORT`: tells the host whether a preview found changes, so that without changes nobody is asked for an approval.
 * GitHub gets an output of the step, GitLab the pipeline that waits for the approval (`--pipeline FILE`).
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { z } from "zod";
import { readEnv } from "../common/env";
import { HomelabError } from "../common/errors";
import { runMain } from "./failure";
import { upPipeline } from "./gitlab-up";

const reportSchema = z.object({ version: z.literal(1), operation: z.literal("preview"), ok: z.literal(true), changed: z.boolean() });

function changedIn(file: string): boolean {
  try {
    return reportSchema.parse(JSON.parse(fs.readFileSync(file, "utf8"))).changed;
  } catch (cause) {
    throw new HomelabError("E_REPORT_FILE", `${file} is no report of a whole preview`, {
      cause,
      subject: file,
      hint: "homelab preview --report FILE writes it",
    });
  }
}

/** The pipeline that has the plan. */
function ownPipeline(): string {
  const pipeline = readEnv("CI_PIPELINE_ID");
  if (pipeline === undefined || !/^[1-9]\d{0,15}$/.test(pipeline))
    throw new HomelabError("E_NO_RUN", "CI_PIPELINE_ID is not the number of a pipeline", {
      subject: "CI_PIPELINE_ID",
      hint: "use --pipeline in a job of GitLab alone",
    });
  return pipeline;
}

runMain(() => {
  const [file, flag, pipeline, ...more] = process.argv.slice(2);
  if (file === undefined || more.length > 0 || (flag !== undefined && (flag !== "--pipeline" || pipeline === undefined))) {
    process.stderr.write("usage: npm run plan:outputs -- REPORT [--pipeline FILE]\n");
    return 2;
  }
  const changed = changedIn(file);
  if (pipeline !== undefined) {
    const text = upPipeline({ changed, pipeline: ownPipeline() });
    fs.mkdirSync(path.dirname(pipeline), { recursive: true });
    fs.writeFileSync(pipeline, text);
  }
  const line = `changed=${changed}\n`;
  process.stdout.write(line);
  const outputs = readEnv("GITHUB_OUTPUT");
  if (outputs !== undefined) fs.appendFileSync(outputs, line);
  return 0;
});

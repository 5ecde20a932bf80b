/** `npm run plan:outputs -- REPORT`: tells the host whether a preview found changes, so that nobody is asked to approve nothing. */
import * as fs from "node:fs";
import { z } from "zod";
import { readEnv } from "../common/env";
import { HomelabError } from "../common/errors";
import { runMain } from "./failure";

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

runMain(() => {
  const [file, ...more] = process.argv.slice(2);
  if (file === undefined || more.length > 0) {
    process.stderr.write("usage: npm run plan:outputs -- REPORT\n");
    return 2;
  }
  const line = `changed=${changedIn(file)}\n`;
  process.stdout.write(line);
  // GitHub reads it from there; GitLab's up waits for a hand, and the log says it.
  const outputs = readEnv("GITHUB_OUTPUT");
  if (outputs !== undefined) fs.appendFileSync(outputs, line);
  return 0;
});

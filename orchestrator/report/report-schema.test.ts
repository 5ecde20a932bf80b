/**
 * docs/report.schema.json is the schema of report.json, docs/events.schema.json that of the lines of `--json`. HOMELAB_TEST_RECORD_SCHEMA=1
 * writes them anew. Raise `version` with a change that readers must know of.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { z } from "zod";
import { eventSchema } from "../schedule/event-schema";
import { reportSchema } from "./report-schema";

test.each([
  ["report.schema.json", "report of a run of homelab", reportSchema],
  ["events.schema.json", "event of a run of homelab: one line of --json", eventSchema],
])("%s in the repository is the form of what is written", (name, title, form) => {
  const file = path.join(__dirname, "..", "..", "docs", name);
  const schema = { title, ...z.toJSONSchema(form) };
  if (process.env["HOMELAB_TEST_RECORD_SCHEMA"] === "1") fs.writeFileSync(file, `${JSON.stringify(schema, null, 2)}\n`);
  expect(JSON.parse(fs.readFileSync(file, "utf8"))).toEqual(JSON.parse(JSON.stringify(schema)));
});

/** docs/report.schema.json is the form of report.json. HOMELAB_TEST_RECORD_SCHEMA=1 writes it anew; a reader must know of a change: raise `version`. */
import * as fs from "node:fs";
import * as path from "node:path";
import { z } from "zod";
import { reportSchema } from "./report-schema";

const FILE = path.join(__dirname, "..", "..", "docs", "report.schema.json");

test("the schema in the repository is that of the reports that are written", () => {
  const schema = { title: "report of a run of homelab", ...z.toJSONSchema(reportSchema) };
  if (process.env["HOMELAB_TEST_RECORD_SCHEMA"] === "1") fs.writeFileSync(FILE, `${JSON.stringify(schema, null, 2)}\n`);
  expect(JSON.parse(fs.readFileSync(FILE, "utf8"))).toEqual(JSON.parse(JSON.stringify(schema)));
});

import * as fs from "node:fs";
import * as path from "node:path";
import { z } from "zod";
import { HomelabError } from "../common/errors";
import { projectRoot } from "../common/paths";

const schema = z.object({ creation_rules: z.array(z.object({ path_regex: z.string().optional(), age: z.union([z.string(), z.array(z.string())]) })).min(1) });

/**
 * The age recipients that `.sops.yaml` names for a file: those of the first rule that fits, as sops picks it.
 * @param file path from the checkout's folder
 * @throws HomelabError E_SOPS_CONFIG
 */
export function recipientsFor(file: string, configFile = path.join(projectRoot(), ".sops.yaml")): string[] {
  const { parse } = require("yaml") as typeof import("yaml");
  const fail = (message: string, cause?: unknown) =>
    new HomelabError("E_SOPS_CONFIG", `${configFile}: ${message}`, {
      subject: configFile,
      hint: "give it a creation rule with an age recipient",
      ...(cause === undefined ? {} : { cause }),
    });
  let rules: z.infer<typeof schema>["creation_rules"];
  try {
    rules = schema.parse(parse(fs.readFileSync(configFile, "utf8"))).creation_rules;
  } catch (cause) {
    throw fail("it cannot be read as a SOPS configuration", cause);
  }
  const rule = rules.find(({ path_regex }) => path_regex === undefined || new RegExp(path_regex).test(file));
  if (rule === undefined) throw fail(`no creation rule is for ${file}`);
  const recipients = (typeof rule.age === "string" ? rule.age.split(",") : rule.age)
    .map((recipient) => recipient.trim())
    .filter((recipient) => recipient !== "");
  if (recipients.length === 0) throw fail("a creation rule has no recipient");
  return recipients;
}

/** `homelab state migrate`: moves stacks to another state backend, verifies, and can go back. */
import { HomelabError } from "../../common/errors";
import type { Arguments } from "../cli/arguments";
import { EXIT, type ExitCode } from "../cli/exit-codes";
import type { Session } from "../cli/session";
import { engineOf, engineRunner } from "../target/engine";
import { openSite } from "../target/site";
import { migrationRecord, readRecord, StateMigration, writeRecord } from "./state-migration";

export async function migrateState(args: Arguments, session: Session): Promise<ExitCode> {
  const site = await openSite(args.flag("lab"));
  const engine = engineOf(args);
  const run = engineRunner(engine.root, site.workDir);
  const migration = new StateMigration(
    (backend, command) => run(command, { ...site.env, PULUMI_BACKEND_URL: backend }),
    (line) => session.out(`${line}\n`),
  );
  const recordFile = migrationRecord(site.runsDir);
  if (args.flag("back")) {
    const record = readRecord(recordFile);
    await migration.back(record);
    session.out(`the stacks are in ${record.from} again\n`);
    return EXIT.done;
  }
  const [from, to] = [args.text("from") ?? site.env["PULUMI_BACKEND_URL"], args.text("to")];
  if (from === undefined || to === undefined || from === to)
    throw new HomelabError("E_USAGE", "give two backends: --from URL --to URL", { hint: "file://<folder> or s3://<bucket>/<prefix>?endpoint=…" });
  const record = await migration.migrate(from, to, args.words);
  writeRecord(recordFile, record);
  session.out(`${from} is as it was. Set PULUMI_BACKEND_URL (or backend.url in Pulumi.yaml) to ${to}; \`homelab state migrate --back\` goes back.\n`);
  return EXIT.done;
}

/** `homelab state migrate`: moves stacks to another state backend, verifies, and can go back. */
import { HomelabError } from "../../common/errors";
import type { Arguments } from "../cli/arguments";
import { EXIT, type ExitCode } from "../cli/exit-codes";
import { askByName, refuseUnasked } from "../cli/gate";
import type { Session } from "../cli/session";
import { type MigrationRecord, migrationRecord, readRecord, StateMigration, writeRecord } from "../state/state-migration";
import { backendOf } from "../target/configured-backend";
import { engineOf, engineRunner } from "../target/engine";
import { listStacks } from "../target/program";
import { openSite } from "../target/site";
import { whileHeld } from "./while-held";

/** Going back overwrites the states at the old backend, and removes those at the new one. */
async function mayGoBack({ from, to, stacks }: MigrationRecord, args: Arguments, session: Session): Promise<boolean> {
  if (args.flag("lab") || args.flag("yes")) return true;
  const what = `This puts the states of ${Object.keys(stacks).join(", ")} back into ${from} and removes them from ${to}, of`;
  if (await askByName(session, what, (await listStacks()).site)) return true;
  session.out("nothing was changed\n");
  return false;
}

export async function migrateState(args: Arguments, session: Session): Promise<ExitCode> {
  if (args.flag("back") && !args.flag("lab") && !args.flag("yes"))
    refuseUnasked(session, "homelab state migrate --back overwrites and removes states of the real homelab", false);
  const site = await openSite(args.flag("lab"));
  const engine = engineOf(args);
  const run = engineRunner(engine.root, site.workDir);
  const migration = new StateMigration(
    (backend, command) => run(command, { ...site.env, PULUMI_BACKEND_URL: backend }),
    (line) => session.out(`${line}\n`),
  );
  const alone = (act: () => Promise<void>): Promise<void> => whileHeld(site.runsDir, "state migrate", session, act);
  const recordFile = migrationRecord(site.runsDir);
  if (args.flag("back")) {
    const record = readRecord(recordFile);
    if (!(await mayGoBack(record, args, session))) return EXIT.refused;
    await alone(() => migration.back(record));
    session.out(`the stacks are in ${record.from} again\n`);
    return EXIT.done;
  }
  const [from, to] = [args.text("from") ?? backendOf(site), args.text("to")];
  if (from === undefined || to === undefined || from === to)
    throw new HomelabError("E_USAGE", "give two backends: --from URL --to URL", { hint: "file://<folder> or s3://<bucket>/<prefix>?endpoint=…" });
  await alone(async () => writeRecord(recordFile, await migration.migrate(from, to, args.words)));
  session.out(`${from} is as it was. Set PULUMI_BACKEND_URL (or backend.url in Pulumi.yaml) to ${to}; \`homelab state migrate --back\` goes back.\n`);
  return EXIT.done;
}

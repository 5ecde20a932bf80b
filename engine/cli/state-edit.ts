/** `state edit`: the state in the editor of whoever runs it. Secrets stay encrypted. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { readEnv } from "../../common/env";
import type { RawDeployment } from "../backend/checkpoint";
import { lockStack } from "../backend/locks";
import { CliError, EXIT_CODE } from "../errors";
import { checkIntegrity } from "../snapshot/integrity";
import { deserializeSnapshot } from "../snapshot/serialize";
import { exactJson, parseExactJson } from "../wire/exact-json";
import { runInEditor } from "./editor";
import type { Flags } from "./flags";
import { openStack } from "./stack-context";
import { parseDeployment } from "./stack-transfer";
import { ask, isInteractive, print } from "./terminal";

const sealed = { encrypt: (text: string): string => text, decrypt: (): string => "null" };

/** @returns undefined where the file is not a state that could be written, after saying why */
function read(file: string): RawDeployment | undefined {
  try {
    const deployment = parseDeployment(parseExactJson(fs.readFileSync(file, "utf8")));
    checkIntegrity(deserializeSnapshot(deployment, sealed).resources, "the edited state");
    return deployment;
  } catch (thrown) {
    process.stderr.write(`error: provided state is not valid: ${thrown instanceof Error ? thrown.message : String(thrown)}\n`);
    return undefined;
  }
}

type Answer = "accept" | "edit" | "reset" | "cancel";

async function choose(isValid: boolean): Promise<Answer> {
  const options = [...(isValid ? ["accept"] : []), "edit", "reset", "cancel"];
  const question = isValid ? "Do you want to perform this edit?" : "Received invalid state. What would you like to do?";
  for (;;) {
    const answer = (await ask(`${question} (${options.join("/")}) `))?.trim();
    if (answer === undefined) return "cancel";
    if (options.includes(answer)) return answer as Answer;
  }
}

/** @returns the accepted state; undefined where nothing was changed */
async function edited(editor: string, file: string, before: RawDeployment): Promise<RawDeployment | undefined> {
  const original = `${exactJson(before, 4)}\n`;
  fs.writeFileSync(file, original, { mode: 0o600 });
  for (;;) {
    await runInEditor(editor, file);
    const after = read(file);
    if (after !== undefined) {
      if (exactJson(after) === exactJson(before)) return undefined;
      print(`New state:\n${exactJson(after, 4)}`);
    }
    const answer = await choose(after !== undefined);
    if (answer === "accept") return after;
    if (answer === "cancel") throw new CliError("confirmation cancelled, not proceeding with the state edit");
    if (answer === "reset") fs.writeFileSync(file, original, { mode: 0o600 });
  }
}

export async function stateEdit(flags: Flags): Promise<number> {
  if (!isInteractive(flags)) throw new CliError("pulumi state edit must be run in interactive mode");
  const editor = readEnv("EDITOR");
  if (editor === undefined || editor === "") throw new CliError("no EDITOR environment variable set");
  const { project, backend, stack } = await openStack(flags);
  const unlock = await lockStack(backend.bucket, project.name, stack);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "pulumi-state-edit-"));
  try {
    const before = await backend.load(project.name, stack);
    if (before === undefined) throw new CliError(`stack '${stack}' has no state yet`);
    const after = await edited(editor, path.join(folder, "state.json"), before);
    if (after === undefined) process.stderr.write("warning: provided state was not changed\n");
    else await backend.save(project.name, stack, after);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
    await unlock();
  }
  return EXIT_CODE.ok;
}

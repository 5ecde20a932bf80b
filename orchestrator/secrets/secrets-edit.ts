/** `homelab secrets edit`: the values in an editor. Their plaintext is in a private folder, which is removed with this process. */
import * as fs from "node:fs";
import * as path from "node:path";
import { parse, stringify } from "yaml";
import { z } from "zod";
import { spawn } from "../../common/children";
import { childEnv, readEnv } from "../../common/env";
import { HomelabError } from "../../common/errors";
import { inPrivateFolder } from "../../secrets/private-folder";
import type { FileName, SecretFiles } from "../../secrets/secret-files";
import type { SecretEntry } from "../../secrets/vault-paths";
import type { Session } from "../cli/session";

const edited = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));

function runEditor(file: string): Promise<void> {
  const editor = readEnv("VISUAL") ?? readEnv("EDITOR") ?? "vi";
  return new Promise((resolve, reject) => {
    // By the shell, as git does it: the variable may hold arguments.
    const child = spawn("/bin/sh", ["-c", `${editor} "$1"`, "sh", file], { stdio: "inherit", env: childEnv() });
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (code === 0) resolve();
      else
        reject(
          new HomelabError("E_EDITOR", `the editor (${editor}) ended with ${signal ?? `exit code ${code}`}; nothing was written`, {
            hint: "set EDITOR to a program that waits until you are done",
          }),
        );
    });
  });
}

/** @throws HomelabError E_EDITED, whose message has nothing of what was typed */
function parseEdited(text: string): SecretEntry {
  try {
    return Object.fromEntries(Object.entries(edited.parse(parse(text, { maxAliasCount: 0 }))).map(([key, value]) => [key, String(value)]));
  } catch {
    // The parser's message quotes the text.
    throw new HomelabError("E_EDITED", "what you left in the editor is no list of `key: value`; nothing was written", {
      hint: "edit again: one key a line, values in quotes where they have special characters",
    });
  }
}

/** @returns the keys that changed */
export async function editSecrets(files: SecretFiles, name: FileName, session: Session): Promise<string[]> {
  const before = files.read(name);
  for (const value of Object.values(before)) session.redactor.register(value);
  const after = await inPrivateFolder(async (folder) => {
    const file = path.join(folder, "values.yaml");
    fs.writeFileSync(file, stringify(before, { lineWidth: 0 }), { mode: 0o600 });
    await runEditor(file);
    return parseEdited(fs.readFileSync(file, "utf8"));
  });
  for (const value of Object.values(after)) session.redactor.register(value);
  return files.change(name, (now) => {
    if (JSON.stringify(now) !== JSON.stringify(before))
      throw new HomelabError("E_SECRET_CHANGED", `${files.label(name)} was changed by somebody else meanwhile; nothing was written`, {
        subject: files.label(name),
        hint: "edit it again",
      });
    return { ...Object.fromEntries(Object.keys(before).map((key) => [key, undefined])), ...after };
  });
}

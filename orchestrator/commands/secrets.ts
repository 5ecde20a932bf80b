import { defineCommand, type Flag, type Word } from "../cli/command";
import { JSON_OUTPUT } from "../cli/flags";

const ENV: Flag = { name: "env", value: "STACK", help: "the files of that stack, and not those of all (secrets/common)" };
const ENTRY: Word = { name: "entry", help: "a file below the folder, without .yaml" };
const KEY: Word = { name: "key", help: "a name in the file" };
const ENTRIES: Word = { ...ENTRY, name: "entry", help: "the files; none named: all of them", optional: true, many: true };

export const command = defineCommand({
  group: "secrets",
  summary: "reads, writes, checks and rotates the encrypted files",
  notes: "Values come from a prompt or from standard input, never from the command line.",
  verbs: {
    list: { summary: "prints the names of all files and of their keys", flags: [ENV, JSON_OUTPUT] },
    check: {
      summary: "refuses what must never be committed: a value in the clear, a private key, a file that does not open",
      flags: [{ name: "staged", help: "look at what is staged for the next commit" }],
    },
    get: { summary: "prints one value", words: [ENTRY, KEY], flags: [ENV] },
    set: { summary: "writes one value", words: [ENTRY, KEY], flags: [ENV] },
    new: { summary: "makes a file with the values of its keys", words: [ENTRY, { ...KEY, many: true }], flags: [ENV] },
    view: { summary: "prints a whole file, decrypted", words: [ENTRY], flags: [ENV] },
    edit: { summary: "opens a file, decrypted, in the editor ($EDITOR)", words: [ENTRY], flags: [ENV] },
    rotate: { summary: "gives files a new data key", words: [ENTRIES], flags: [ENV] },
    recipients: { summary: "encrypts files for the recipients that .sops.yaml names now", words: [ENTRIES], flags: [ENV] },
    generate: { summary: "makes new values for a credential that this project generates", words: [{ name: "credential", help: "its name" }] },
  },
  run: async (args, session, verb) => (await import("../secrets/manage-secrets")).manageSecrets(verb, args, session),
});

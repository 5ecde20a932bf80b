import { defineCommand, type Flag, type Word } from "../cli/command";
import { JSON_OUTPUT } from "../cli/flags";

const ENV: Flag = { name: "env", value: "STACK", help: "the files of this stack (secrets/<stack>) instead of the common ones (secrets/common)" };
const ENTRY: Word = { name: "entry", help: "path of a file below the folder, without .yaml" };
const KEY: Word = { name: "key", help: "a name in the file" };
const ENTRIES: Word = { ...ENTRY, name: "entry", help: "the files; none named: all of them", optional: true, many: true };

export const command = defineCommand({
  group: "secrets",
  summary: "reads, writes, checks and rotates the encrypted files",
  notes: "Values come from a prompt or from standard input, never from the command line.",
  verbs: {
    list: { summary: "prints the names of the files and of their keys", flags: [ENV, JSON_OUTPUT] },
    check: {
      summary: "finds what must not be committed (a value in the clear, a private key, a file that does not open), and exits with 4 where it finds something",
      flags: [{ name: "staged", help: "look at the files that are staged for the next commit, and open none" }],
    },
    get: { summary: "prints one value", words: [ENTRY, KEY], flags: [ENV] },
    set: { summary: "writes one value", words: [ENTRY, KEY], flags: [ENV] },
    new: { summary: "creates a file, and asks for the value of each key", words: [ENTRY, { ...KEY, many: true }], flags: [ENV] },
    view: { summary: "decrypts a file and prints it", words: [ENTRY], flags: [ENV], examples: ["homelab secrets view cluster-secret-store/secrets/MINIO"] },
    edit: { summary: "opens a decrypted file in the editor ($EDITOR), and encrypts it again", words: [ENTRY], flags: [ENV] },
    rotate: { summary: "encrypts files with a new data key", words: [ENTRIES], flags: [ENV] },
    recipients: { summary: "encrypts the data key of files for the recipients that .sops.yaml names now", words: [ENTRIES], flags: [ENV] },
    generate: { summary: "makes new values for a credential that this project generates", words: [{ name: "credential", help: "its name" }] },
  },
  run: async (args, session, verb) => (await import("../secrets/manage-secrets")).manageSecrets(verb, args, session),
});

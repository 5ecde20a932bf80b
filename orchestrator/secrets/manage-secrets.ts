/** `homelab secrets …`: the encrypted files of the checkout. */
import { stringify } from "yaml";
import { HomelabError } from "../../common/errors";
import { quote } from "../../common/quote";
import { loadAgeKeys } from "../../secrets/age-keys";
import { credentialOf } from "../../secrets/credentials";
import { type FileName, fileName, keyName, SecretFiles } from "../../secrets/secret-files";
import type { Arguments } from "../cli/arguments";
import { EXIT, type ExitCode } from "../cli/exit-codes";
import type { Session } from "../cli/session";
import { listStacks } from "../target/program";
import { checkSecrets } from "./secrets-check";
import { editSecrets } from "./secrets-edit";
import { readSecret } from "./secrets-input";

interface Given {
  files: SecretFiles;
  args: Arguments;
  session: Session;
  /** `common`, or the environment of --env. */
  folder: string;
}

const usage = (message: string) => new HomelabError("E_USAGE", message, { hint: "see `homelab help`" });

/** How a value is given where there is no terminal. */
const fromFile = (verb: "set" | "new", { args }: Given, key: string): string => {
  const environment = args.text("env");
  const words = [verb, args.words[0] ?? "", key, ...(environment === undefined ? [] : ["--env", environment])];
  return `for example: homelab secrets ${words.map(quote).join(" ")} < file`;
};

const oneFile = (given: Given): FileName => fileName(given.folder, given.args.words[0] ?? "");

/** The named files, or all. */
function someFiles(given: Given): FileName[] {
  if (given.args.words.length > 0) return given.args.words.map((word) => fileName(given.folder, word));
  return given.files.names(given.args.text("env") === undefined ? undefined : [given.folder]);
}

function list(given: Given): ExitCode {
  const listed = given.files.list(given.args.text("env") === undefined ? undefined : [given.folder]);
  if (given.args.flag("json")) given.session.out(`${JSON.stringify({ version: 1, files: listed }, null, 2)}\n`);
  else for (const { folder, entry, keys } of listed) given.session.out(`${folder.padEnd(8)} ${entry}: ${keys.join(", ")}\n`);
  return EXIT.done;
}

function get(given: Given): ExitCode {
  const [entry = "", key = ""] = given.args.words;
  const name = fileName(given.folder, entry);
  const value = given.files.read(name)[key];
  if (value === undefined)
    throw new HomelabError("E_SECRET_UNKNOWN", `there is no "${key}" in ${given.files.label(name)}`, {
      subject: given.files.label(name),
      hint: "`homelab secrets list` shows what there is",
    });
  // The user asked for it by name. A program that reads it gets exactly the value, without a line end.
  given.session.rawOut(given.session.terminal.interactive ? `${value}\n` : value);
  return EXIT.done;
}

function view(given: Given): ExitCode {
  given.session.rawOut(stringify(given.files.read(oneFile(given)), { lineWidth: 0 }));
  return EXIT.done;
}

function said(given: Given, name: FileName, keys: readonly string[]): ExitCode {
  given.session.out(`${given.files.label(name)}: ${keys.length === 0 ? "nothing changed" : `${keys.join(", ")} written`}\n`);
  return EXIT.done;
}

async function set(given: Given): Promise<ExitCode> {
  const [entry = "", key = ""] = given.args.words;
  const name = fileName(given.folder, entry);
  keyName(key);
  // This comes before anybody types a value: the file must open.
  given.files.read(name);
  const value = await readSecret(given.session, key, fromFile("set", given, key));
  return said(
    given,
    name,
    given.files.change(name, () => ({ [key]: value })),
  );
}

async function create(given: Given): Promise<ExitCode> {
  const [entry = "", ...keys] = given.args.words;
  if (keys.length > 1 && !process.stdin.isTTY) throw usage("standard input gives one value: name one key, and `homelab secrets set` the others");
  const name = fileName(given.folder, entry);
  const values: Record<string, string> = {};
  for (const key of keys.map(keyName)) values[key] = await readSecret(given.session, key, fromFile("new", given, key));
  given.files.create(name, values);
  return said(given, name, keys);
}

async function edit(given: Given): Promise<ExitCode> {
  const name = oneFile(given);
  return said(given, name, await editSecrets(given.files, name, given.session));
}

function rotate(given: Given): ExitCode {
  for (const name of someFiles(given)) {
    given.files.rotate(name);
    given.session.out(`${given.files.label(name)}: new data key\n`);
  }
  return EXIT.done;
}

function recipients(given: Given): ExitCode {
  for (const name of someFiles(given)) {
    const { added, removed } = given.files.updateRecipients(name);
    const changes = [...added.map((recipient) => `+ ${recipient}`), ...removed.map((recipient) => `- ${recipient}`)];
    given.session.out(`${given.files.label(name)}: ${changes.join(", ") || "nothing changed"}\n`);
    if (removed.length > 0) given.session.err("note: removed recipients know the old values: rotate the data keys and the values themselves\n");
  }
  return EXIT.done;
}

async function generate(given: Given): Promise<ExitCode> {
  const credential = credentialOf(given.args.words[0] ?? "", (await listStacks()).stacks);
  const name = fileName("common", credential.entry);
  const made = await credential.make();
  for (const value of Object.values(made)) given.session.redactor.register(value);
  const known = given.files.names(["common"]).some(({ entry }) => entry === name.entry);
  if (known) given.files.change(name, () => made);
  else given.files.create(name, made);
  said(given, name, Object.keys(made));
  given.session.out(
    `owner: ${credential.owner}\nalso read by: ${credential.consumers.join(", ") || "nobody"}\n` +
      (credential.built
        ? ""
        : `note: no stack has the module ${credential.module} yet: \`homelab up\` brings the value to Vault, and who runs it elsewhere takes it over\n`) +
      "next: commit the file, then `homelab up`: the preview shows what restarts\n",
  );
  return EXIT.done;
}

const VERBS: Readonly<Record<string, (given: Given) => ExitCode | Promise<ExitCode>>> = {
  list,
  get,
  set,
  edit,
  new: create,
  view,
  check: (given) => checkSecrets(given.files, given.args, given.session),
  rotate,
  recipients,
  generate,
};

/** `secrets <verb>` */
export async function manageSecrets(verb: string, args: Arguments, session: Session): Promise<ExitCode> {
  const run = VERBS[verb];
  if (run === undefined) throw new Error(`secrets has no verb ${verb}`);
  const environment = args.text("env");
  // A misspelt environment would create a folder that nothing reads.
  if (environment !== undefined) (await listStacks()).graph.node(environment);
  const identities = () => {
    const keys = loadAgeKeys();
    for (const { secret } of keys) session.redactor.register(secret);
    return keys;
  };
  return run({ files: new SecretFiles(identities, session.clock), args, session, folder: environment ?? "common" });
}

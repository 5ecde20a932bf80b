/**
 * Where a command works: the real homelab, or the lab. Decides the engine's work folder and the environment of every child;
 * nothing else in the orchestrator, and nothing in the program, knows the difference.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { pathToFileURL } from "node:url";
import { type Document, parseDocument } from "yaml";
import { ENV } from "../../common/env";
import { HomelabError } from "../../common/errors";
import { writeFileAtomic } from "../../common/files";
import { projectRoot } from "../../common/paths";
import { type LabFile, labDir, requireLab } from "./lab-client";
import { LAB_AGE_KEY, labAuthority, labSecrets } from "./lab-secrets";
import { namedPlugins, ownPlugin, packagesWithoutOfficialPlugin } from "./provider-plugins";
import { labTrust, ownAuthority, realTrust } from "./trust";

export interface Site {
  kind: "real" | "lab";
  /** Folder with Pulumi.yaml and the stacks' settings, in which the engine runs. */
  workDir: string;
  /** Folder for runs: journals and reports. */
  runsDir: string;
  /** Changes to the environment of every child. */
  env: Record<string, string>;
  lab: LabFile | undefined;
}

/** A path in the folder that holds the runs, where the site's other records are. */
export const besideRuns = (runsDir: string, ...names: string[]): string => path.join(path.dirname(runsDir), ...names);

/** For the programs that do not know by themselves that loopback is not behind a proxy. */
const LOOPBACK = "127.0.0.1,localhost,::1";

/** The lab's state is encrypted with it so that the code path is the real one; it protects nothing. */
const LAB_ONLY_PASSPHRASE = "lab-only";

/** The salt of that passphrase, one for all stacks. Any salt that the engine made for this passphrase would do. */
const LAB_ONLY_SALT = "v1:kWfzfobmCgs=:v1:72TQLKskLAmTWhut:zxaWcU0/hwybULTI+9G73LEB5GW2nw==";

/** What the engine derives from the two, which takes a quarter of a second in each process. A wrong one would be derived anew. */
const LAB_ONLY_KEY = "FmgUi5YkwcXtYLF6L1NtaI5m4BTgriwjF8cFniDMdsU=";

/** Has the URL of the lab's states once `homelab rebuild --lab --to` has moved them. Each command uses it from then on. */
const movedBackend = (dir: string): string => path.join(dir, "backend-url");

function labBackend(dir: string): string {
  const moved = movedBackend(dir);
  return fs.existsSync(moved) ? fs.readFileSync(moved, "utf8").trim() : pathToFileURL(path.join(dir, "state")).href;
}

/** Sets where the lab's states are from now on. */
export const setLabBackend = (url: string, dir = labDir()): void => writeFileAtomic(movedBackend(dir), `${url}\n`);

async function labEnvironment(lab: LabFile, dir: string): Promise<Record<string, string>> {
  const secrets = await labSecrets(dir);
  return {
    // Plain requests too: the owner's own proxy is outside the lab.
    ...Object.fromEntries(["HTTPS_PROXY", "HTTP_PROXY"].flatMap((name) => [name, name.toLowerCase()]).map((name) => [name, lab.proxy])),
    NO_PROXY: LOOPBACK,
    no_proxy: LOOPBACK,
    no_grpc_proxy: LOOPBACK,
    ...labTrust(dir, lab.caFile, secrets === undefined ? ownAuthority() : labAuthority(dir)),
    [ENV.bastion]: `ssh://${lab.bastion.user}@${lab.bastion.host}:${lab.bastion.port}`,
    [ENV.bastionKeyFile]: lab.bastion.keyFile,
    [ENV.bastionHostKey]: lab.bastion.hostKey,
    [ENV.chartStandIn]: lab.chartStandIn,
    [ENV.ageKeyFile]: path.join(projectRoot(), LAB_AGE_KEY),
    ...(secrets === undefined ? {} : { [ENV.secretsDir]: secrets }),
    [ENV.vaultKeysDir]: path.join(dir, "vault-keys"),
    PULUMI_BACKEND_URL: labBackend(dir),
    PULUMI_CONFIG_PASSPHRASE: LAB_ONLY_PASSPHRASE,
    [ENV.passphraseKey]: `${LAB_ONLY_SALT.split(":")[1]}:${LAB_ONLY_KEY}`,
    ...commandsOf({ kind: "lab" }),
    PULUMI_SKIP_UPDATE_CHECK: "true",
    // A missing plugin is an error that names it, instead of five downloads through a proxy that leads nowhere.
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
  };
}

/** @throws HomelabError E_CONFIG_FILE for invalid YAML, with its line */
function parsedYaml(file: string, text: string): Document.Parsed {
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error !== undefined)
    throw new HomelabError("E_CONFIG_FILE", `${file}: not valid YAML`, { cause: error, subject: file, hint: "correct the line that is named" });
  return document;
}

/** A stack's settings in the lab: the checkout's, with the lab's salt. What production protects is protected here too, so that a preview says so. */
function labSettings(file: string, original: string): string {
  const settings = parsedYaml(file, original);
  settings.set("encryptionsalt", LAB_ONLY_SALT);
  return settings.toString();
}

/**
 * The checkout's project for the lab: its program stays in the checkout, and where an official plugin is not installed ours is named,
 * by an absolute path, so that the Pulumi CLI downloads nothing. What the checkout itself names stays, with its path made absolute.
 */
function labProject(root: string): string {
  const file = path.join(root, "Pulumi.yaml");
  const project = parsedYaml("Pulumi.yaml", fs.readFileSync(file, "utf8"));
  const named = namedPlugins(file);
  const ours = packagesWithoutOfficialPlugin().filter((name) => !named.has(name));
  const providers = [...[...named].map(([name, folder]) => ({ name, path: folder })), ...ours.map((name) => ({ name, path: ownPlugin(name) }))];
  if (providers.length > 0) project.setIn(["plugins", "providers"], project.createNode(providers));
  project.set("main", root);
  return project.toString();
}

/** Writes the lab's own work folder, so that nothing in the checkout changes by a rehearsal. */
function prepareLabFolder(workDir: string): void {
  const root = projectRoot();
  fs.mkdirSync(workDir, { recursive: true, mode: 0o700 });
  const files: [string, string][] = [["Pulumi.yaml", labProject(root)]];
  for (const name of fs.readdirSync(root)) {
    if (!/^Pulumi\..+\.yaml$/.test(name)) continue;
    files.push([name, labSettings(name, fs.readFileSync(path.join(root, name), "utf8"))]);
  }
  for (const [name, content] of files) {
    const target = path.join(workDir, name);
    if (!fs.existsSync(target) || fs.readFileSync(target, "utf8") !== content) writeFileAtomic(target, content);
  }
}

/** The folder in which the engine runs, brought up to date; the lab itself may be down. */
export function siteFolder(useLab: boolean): string {
  if (!useLab) return projectRoot();
  const workDir = path.join(labDir(), "work");
  prepareLabFolder(workDir);
  return workDir;
}

const printed = (verb: string, { kind }: Pick<Site, "kind">, stack: string): string => `homelab ${verb} ${stack}${kind === "lab" ? " --lab" : ""}`;

/** The command that clears a stack's lock, as it is printed. */
export const unlockCommand = (site: Pick<Site, "kind">, stack: string): string => printed("unlock", site, stack);

/** What the embedded engine names where the Pulumi CLI names commands of its own. */
const commandsOf = (site: Pick<Site, "kind">): Record<string, string> => ({
  [ENV.unlockCommand]: unlockCommand(site, "<stack>"),
  [ENV.pendingCommand]: printed("pending", site, "<stack>"),
});

/** @throws HomelabError E_LAB_DOWN for the lab when it is not running */
export async function openSite(useLab: boolean): Promise<Site> {
  if (!useLab) {
    return {
      kind: "real",
      workDir: projectRoot(),
      runsDir: path.join(projectRoot(), ".homelab", "runs"),
      env: { ...realTrust(), ...commandsOf({ kind: "real" }) },
      lab: undefined,
    };
  }
  const lab = await requireLab();
  const dir = labDir();
  const workDir = siteFolder(true);
  fs.mkdirSync(path.join(dir, "state"), { recursive: true, mode: 0o700 });
  return { kind: "lab", workDir, runsDir: path.join(dir, "runs"), env: await labEnvironment(lab, dir), lab };
}

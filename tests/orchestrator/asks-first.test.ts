/**
 * Commands that change the real homelab without a preview ask before they connect to anything. Here all addresses lead to one server,
 * which counts its connections.
 */
import * as fs from "node:fs";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { generateIdentity } from "../../secrets/age";
import { encryptSopsFile } from "../../secrets/sops-file";
import { treeAt } from "../../secrets/vault-paths";
import { loadEstate } from "../../stacks/load/estate";
import { type CommandResult, runCommand, startCommand } from "../support/run-command";

jest.setTimeout(120_000);

const me = generateIdentity();
/** The keys of a Vault, in the form in which a first boot stores them. */
const KEYS = { root_token: "a-root-token-of-the-test", unseal_keys: { key1: "a2V5LW9uZS1vZi10aGUtdGVzdA==", key2: "a2V5LXR3by1vZi10aGUtdGVzdA==" } };

let folder: string;
let server: net.Server;
let connections: number;
let address: string;
beforeEach(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-asks-"));
  connections = 0;
  server = net.createServer((socket) => {
    connections++;
    socket.on("error", () => undefined).destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const bound = server.address();
  const port = typeof bound === "object" && bound !== null ? bound.port : 0;
  address = `127.0.0.1:${port}`;
  const secrets = { "secrets/common/in/git.yaml": treeAt("in/git", { key: "value" }), [`keys/127.0.0.1-${port}.yaml`]: { init: KEYS } };
  for (const [name, tree] of Object.entries(secrets)) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    fs.writeFileSync(path.join(folder, name), encryptSopsFile(tree, [me.recipient], new Date(0)));
  }
});
afterEach(async () => {
  await new Promise((resolve) => server.close(resolve));
  fs.rmSync(folder, { recursive: true });
});

/** @param typed what is typed at a terminal; undefined: no terminal */
function homelab(args: readonly string[], typed?: string): Promise<CommandResult> {
  const asTerminal = { NODE_OPTIONS: `--require ${JSON.stringify(path.join(__dirname, "../support/as-terminal.cjs"))}`, TERM: "dumb" };
  const env = {
    PATH: process.env["PATH"],
    HOME: folder,
    VAULT_ADDR: `http://${address}`,
    HTTP_PROXY: `http://${address}`,
    HTTPS_PROXY: `http://${address}`,
    HOMELAB_BASTION: `ssh://nobody@${address}`,
    PULUMI_BACKEND_URL: `s3://state?endpoint=${address}&disableSSL=true&s3ForcePathStyle=true&region=us-east-1`,
    AWS_ACCESS_KEY_ID: "key",
    AWS_SECRET_ACCESS_KEY: "secret",
    PULUMI_CONFIG_PASSPHRASE: "of the test",
    SOPS_AGE_KEY: me.secret,
    HOMELAB_SECRETS_DIR: path.join(folder, "secrets"),
    HOMELAB_VAULT_KEYS_DIR: path.join(folder, "keys"),
    ...(typed === undefined ? {} : asTerminal),
  };
  return runCommand(startCommand("orchestrator/main.js", args, { env }), typed ?? "");
}

const APPLY = ["hosts", "apply", "--engine", "embedded"];
const DELETE = ["vault", "delete", "in/git", "other"];
/** The hosts of this checkout's own site. */
const { site, vms } = loadEstate();
const HOSTS = [...vms.values()].flatMap(({ name, running }) => (running ? [name] : [])).slice(0, 2);

test.each([
  [APPLY, "homelab hosts apply changes hosts of the real homelab, and there is no terminal to ask at"],
  [[...APPLY, "--json"], "homelab hosts apply changes hosts of the real homelab, and --json leaves no room for a question"],
  [DELETE, "homelab vault delete takes entries of the real homelab's Vault away, and there is no terminal to ask at"],
])("homelab %j without a terminal is refused", async (args, says) => {
  expect(await homelab(args)).toEqual({ code: 4, out: "", err: `error: ${says}\n  next: add --yes in a script, or --lab to do it in the lab\n` });
  expect(connections).toBe(0);
});

test.each([
  [APPLY, "no\n", `Run the roles on every host of the homelab ${site.domain}? (yes/no) nothing was changed\n`],
  [[...APPLY, "--host", HOSTS.join(",")], "", `Run the roles on ${HOSTS.join(", ")} of the homelab ${site.domain}? (yes/no) \nnothing was changed\n`],
  [DELETE, "yes\n", `This deletes in/git, other with all versions from the Vault of the homelab ${site.domain}. Type its name to go on: nothing was deleted\n`],
])("homelab %j at a terminal asks with the homelab's name before anything is asked of the outside", async (args, typed, out) => {
  expect(await homelab(args, typed)).toEqual({ code: 4, out, err: "" });
  expect(connections).toBe(0);
});

test.each([
  [[...APPLY, "--yes"], undefined],
  [APPLY, "yes\n"],
  [[...DELETE, "--yes"], undefined],
  [DELETE, `${site.domain}\n`],
])("homelab %j that may go on does so", async (args, typed) => {
  expect((await homelab(args, typed)).code).toBe(1);
  expect(connections).toBeGreaterThan(0);
});

test("a host that there is not is refused before the question", async () => {
  expect(await homelab([...APPLY, "--host", "nowhere"], "yes\n")).toMatchObject({ code: 2, out: "", err: expect.stringContaining("there is no host nowhere") });
  expect(connections).toBe(0);
});

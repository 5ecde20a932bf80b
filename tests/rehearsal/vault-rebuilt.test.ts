/**
 * The VM under Vault is replaced. One `up` creates its cluster, everything in it, Vault and each stack's part of Vault again, and sends
 * nothing to what is gone. The results are judged by what the outside world saw.
 */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { z } from "zod";
import { generateIdentity } from "../../secrets/age";
import { loadAgeKeys } from "../../secrets/age-keys";
import { decryptSopsFile } from "../../secrets/sops-file";
import { LEFT_OUT } from "../support/homelab";
import { Rehearsal } from "../support/rehearsal";

const LAB_KEY = path.join(__dirname, "..", "..", "secrets", "lab-only.agekey");
const PIHOLE = "cluster-secret-store/secrets/EXTERNAL_DNS_PIHOLE_PASSWORD";
const secretSchema = z.object({ data: z.record(z.string(), z.string()) });
const MINUTE = 60_000;
/** `dev` is never built: `tools` creates its part of Vault. */
const STACKS = ["tools", "observability", "dev"];

let rehearsal: Rehearsal;
let checkout: string;

beforeAll(async () => {
  rehearsal = new Rehearsal({ stacks: STACKS, without: LEFT_OUT });
  checkout = rehearsal.checkout;
  await rehearsal.startLab();
}, 2 * MINUTE);
afterAll(() => rehearsal.close(), MINUTE);

const homelab = (...args: string[]) => rehearsal.start(args, { checkout }).done;

async function succeed(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await homelab(...args);
  expect([code, code === 0 ? "" : stderr + stdout]).toEqual([0, ""]);
  return stdout;
}

const keyFiles = (): string[] => fs.readdirSync(path.join(rehearsal.dir, "vault-keys")).toSorted();

async function tree(file: string): Promise<unknown> {
  const full = path.join(rehearsal.dir, "vault-keys", file);
  return decryptSopsFile(file, fs.readFileSync(full, "utf8"), loadAgeKeys(LAB_KEY));
}

/** The text of all stacks' states with decrypted secrets, as their holders can read it. */
async function statesInPlain(): Promise<string> {
  const { code, stdout } = await homelab("outputs", "--lab", "--json", "--show-secrets");
  expect(code).toBe(0);
  const env = await homelab("lab", "env");
  const shell = await rehearsal.shell(
    `${env.stdout}\nfor s in tools observability; do engine/bin/pulumi -C '${path.join(rehearsal.dir, "work")}' stack export --show-secrets --stack $s; done`,
  );
  expect([shell.code, shell.err]).toEqual([0, ""]);
  return stdout + shell.out;
}

async function rootToken(): Promise<string> {
  const { code, stdout } = await homelab("vault", "root", "--lab");
  expect(code).toBe(0);
  return stdout.trim();
}

test(
  "after the first boot the root token is revoked: it is in no state, and its file holds the unseal keys alone",
  async () => {
    await succeed("up", "observability", "--lab");
    expect(keyFiles()).toEqual(["vault.fullstack.pw.yaml"]);
    expect(Object.keys((await tree("vault.fullstack.pw.yaml")) as object)).toEqual(["init"]);
    expect(await tree("vault.fullstack.pw.yaml")).toEqual({
      init: { unseal_keys: expect.objectContaining({ key1: expect.any(String), key5: expect.any(String) }) },
    });
    const root = await rootToken();
    const { body } = await rehearsal.vault("auth/token/accessors?list=true", root);
    const { keys } = z.object({ data: z.object({ keys: z.array(z.string()) }) }).parse(body).data;
    const policies = await Promise.all(
      keys.map(async (accessor) => {
        const found = await rehearsal.vault("auth/token/lookup-accessor", root, { method: "POST", body: { accessor } });
        return z.object({ data: z.object({ policies: z.array(z.string()), path: z.string() }) }).parse(found.body).data;
      }),
    );
    // The only root token is the one of this request.
    expect(policies.filter((token) => token.policies.includes("root"))).toHaveLength(1);
    const made = policies.filter((token) => token.path === "auth/token/create").map((token) => token.policies.join(","));
    expect(made.toSorted()).toEqual(["homelab-tools", ...STACKS.map((stack) => `stack.${stack}`)].toSorted());
    const states = await statesInPlain();
    const tokens = [...new Set(states.match(/hvs\.[A-Za-z0-9_-]+/g))];
    const seen = await Promise.all(tokens.map(async (token) => (await rehearsal.vault("auth/token/lookup-self", token)).body));
    const kinds = seen.map((answer) =>
      z
        .object({ data: z.object({ policies: z.array(z.string()) }) })
        .parse(answer)
        .data.policies.join(","),
    );
    expect(kinds.toSorted()).toEqual(["homelab-tools", ...STACKS.map((stack) => `stack.${stack}`)].toSorted());
    expect((await rehearsal.vault("auth/token/revoke-self", root, { method: "POST" })).status).toBe(204);
  },
  5 * MINUTE,
);

/** Revokes the tokens that are shown as this. */
async function revoke(name: string, root: string): Promise<void> {
  const { keys } = z.object({ data: z.object({ keys: z.array(z.string()) }) }).parse((await rehearsal.vault("auth/token/accessors?list=true", root)).body).data;
  for (const accessor of keys) {
    const { body } = await rehearsal.vault("auth/token/lookup-accessor", root, { method: "POST", body: { accessor } });
    if (z.object({ data: z.object({ display_name: z.string() }) }).parse(body).data.display_name !== name) continue;
    expect((await rehearsal.vault("auth/token/revoke-accessor", root, { method: "POST", body: { accessor } })).status).toBe(204);
  }
}

test(
  "where the token of Vault's own stack and that of another one were revoked, what docs/runbooks.md says gives both new ones",
  async () => {
    const root = await rootToken();
    for (const name of ["token-homelab-tools", "token-homelab-stack-dev"]) await revoke(name, root);
    const refused = await homelab("refresh", "tools", "--lab");
    expect([refused.code, refused.stdout + refused.stderr]).toEqual([1, expect.stringContaining("403: permission denied")]);
    const page = fs.readFileSync(path.join(__dirname, "../../docs/runbooks.md"), "utf8");
    const [, words = ""] = /## Vault refuses its own stack[\s\S]*?```sh\npulumi (up .*)\n```/.exec(page) ?? [];
    const env = await homelab("lab", "env");
    const work = path.join(rehearsal.dir, "work");
    const { code, out, err } = await rehearsal.shell(`${env.stdout}\nengine/bin/pulumi -C '${work}' ${words} --yes --non-interactive`);
    expect([code, err, code === 0 ? "" : out]).toEqual([0, "", ""]);
    await succeed("refresh", "tools", "--lab");
    await succeed("up", "tools", "--lab");
    const { body } = await rehearsal.vault("auth/token/accessors?list=true", root);
    const { keys } = z.object({ data: z.object({ keys: z.array(z.string()) }) }).parse(body).data;
    const names = await Promise.all(
      keys.map(async (accessor) => {
        const found = await rehearsal.vault("auth/token/lookup-accessor", root, { method: "POST", body: { accessor } });
        return z.object({ data: z.object({ display_name: z.string() }) }).parse(found.body).data.display_name;
      }),
    );
    const made = names.filter((name) => name.startsWith("token-"));
    expect(made.toSorted()).toEqual(["token-homelab-tools", ...STACKS.map((stack) => `token-homelab-stack-${stack}`)].toSorted());
    expect((await rehearsal.vault("auth/token/revoke-self", root, { method: "POST" })).status).toBe(204);
  },
  5 * MINUTE,
);

test(
  "another VM under it: Vault is booted and set up anew, the keys before it are put aside, and every stack has its entries and its way in",
  async () => {
    // A protected VM is replaced after it was named in the settings (docs/vms.md).
    const settings = path.join(checkout, "Pulumi.tools.yaml");
    fs.writeFileSync(settings, fs.readFileSync(settings, "utf8").replace("config:\n", 'config:\n  homelab:replaceVms: ["k8s-tools"]\n'));
    await succeed("up", "tools", "--lab");
    const before = await rehearsal.lastSeq();
    const file = path.join(checkout, "site/vms/k8s-tools.yaml");
    fs.writeFileSync(file, fs.readFileSync(file, "utf8").replace("target_node: node03", "target_node: node03\nvm_id: 315"));
    execFileSync(process.execPath, [path.join(checkout, "build/build.cjs")], { cwd: checkout });
    await succeed("up", "observability", "--lab");
    const actions = (await rehearsal.writes(before)).map(({ system, target, action }) => `${system} ${target} ${action}`);
    const vault = actions.filter((action) => action.startsWith("vault ")).map((action) => action.replace(/^vault \S+ /, ""));
    expect(vault.filter((action) => action === "init")).toHaveLength(1);
    for (const wanted of [
      "unseal",
      "mount kv/",
      "enable-auth kubernetes/dev/",
      "kv-put clusters/tools/kubeconfig",
      "kv-put clusters/observability/kubeconfig",
      `kv-put ${PIHOLE}`,
      "auth-config kubernetes/observability/",
    ])
      expect([wanted, vault.includes(wanted)]).toEqual([wanted, true]);
    expect(keyFiles()).toEqual([expect.stringMatching(/^vault\.fullstack\.pw\.replaced-/), "vault.fullstack.pw.yaml"]);
    // External Secrets of another stack logs in to the new Vault.
    const asked = await rehearsal.kubernetes("observability", "/api/v1/namespaces/external-dns/secrets/external-dns-pihole");
    expect(asked.status).toBe(200);
    expect(Object.keys(secretSchema.parse(asked.body).data)).toEqual(["EXTERNAL_DNS_PIHOLE_PASSWORD"]);
    const jwt = await rehearsal.kubernetes("observability", "/api/v1/namespaces/external-dns/serviceaccounts/vault-reader/token", {
      method: "POST",
      body: { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: { expirationSeconds: 600, audiences: ["vault"] } },
    });
    const { token } = z.object({ status: z.object({ token: z.string() }) }).parse(jwt.body).status;
    const login = await rehearsal.vault("auth/kubernetes/observability/login", undefined, { method: "POST", body: { role: "external-dns", jwt: token } });
    const reader = z.object({ auth: z.object({ client_token: z.string() }) }).parse(login.body).auth.client_token;
    expect((await rehearsal.vault(`kv/data/${PIHOLE}`, reader)).status).toBe(200);
  },
  5 * MINUTE,
);

test(
  "once more changes nothing, and what was asked is what the lab models",
  async () => {
    const before = await rehearsal.lastSeq();
    await succeed("up", "observability", "--lab");
    expect(await rehearsal.writes(before)).toEqual([]);
    expect(await rehearsal.unhandled()).toEqual([]);
  },
  3 * MINUTE,
);

test("keys of somebody else open none of the files", async () => {
  const [file = ""] = keyFiles();
  const full = path.join(rehearsal.dir, "vault-keys", file);
  await expect(decryptSopsFile(file, fs.readFileSync(full, "utf8"), [generateIdentity()])).rejects.toMatchObject({ code: expect.stringMatching(/^E_/) });
});

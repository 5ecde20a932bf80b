/** The lab's Vault at its address, without a cluster in which it runs, with the policies and roles of the program's plans. */
import { createServer } from "node:https";
import { z } from "zod";
import { authMountOf, namespacePolicyName, type StackGrant, stackPolicyName, VAULT_AUDIENCE } from "../../components/platform/vault/vault-names";
import { readPolicy, stackPolicy } from "../../components/platform/vault/vault-policies";
import { listenOn } from "../../lab/core/server";
import { startVault, type VaultServer } from "../../lab/vault";
import type { LabWorld } from "./lab-world";

const initSchema = z.object({ keys_base64: z.array(z.string()), root_token: z.string() });
const authSchema = z.object({ auth: z.object({ client_token: z.string() }) });

export interface VaultWorld {
  /** @param token default: root's. @returns the status and the answer's body */
  call(method: string, route: string, body?: unknown, token?: string): Promise<{ status: number; body: unknown }>;
  /** A stack's own token, with the policy that the program gives it. */
  tokenOf(grant: StackGrant): Promise<string>;
  /** Creates the auth mount, policies and roles of a stack's namespaces, as Vault's own stack does. */
  letIn(grant: StackGrant, cluster: { readonly host: string; readonly ca: string; readonly reviewer: string }): Promise<void>;
  stop(): Promise<void>;
}

/** @param address `https://vault.example.org` */
export async function startVaultWorld(world: LabWorld, address: string): Promise<VaultWorld> {
  const { hostname } = new URL(address);
  const vault: VaultServer = await startVault("vault", world.ctx);
  const pair = await world.ctx.tls.issue([hostname]);
  const front = createServer(pair, async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const token = request.headers["x-vault-token"];
    const answer = await fetch(`http://127.0.0.1:${vault.port}${request.url}`, {
      method: request.method ?? "GET",
      headers: { "content-type": request.headers["content-type"] ?? "application/json", ...(typeof token === "string" ? { "x-vault-token": token } : {}) },
      ...(chunks.length === 0 ? {} : { body: Buffer.concat(chunks) }),
    });
    response.writeHead(answer.status, { "content-type": "application/json" });
    response.end(await answer.text());
  });
  const port = await listenOn(front, 0);
  world.ctx.network.listen(hostname, 443, { port });
  let root = "";
  const call: VaultWorld["call"] = async (method, route, body, token = root) => {
    const answer = await fetch(`http://127.0.0.1:${vault.port}/v1/${route}`, {
      method,
      headers: { "content-type": "application/json", ...(token === "" ? {} : { "x-vault-token": token }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, body: text === "" ? undefined : (JSON.parse(text) as unknown) };
  };
  const done = async (...asked: Parameters<typeof call>): Promise<unknown> => {
    const { status, body } = await call(...asked);
    if (status >= 300) throw new Error(`${asked[0]} ${asked[1]}: ${status} ${JSON.stringify(body)}`);
    return body;
  };
  const keys = initSchema.parse(await done("PUT", "sys/init", { secret_shares: 1, secret_threshold: 1 }));
  root = keys.root_token;
  await done("PUT", "sys/unseal", { key: keys.keys_base64[0] });
  await done("POST", "sys/mounts/kv", { type: "kv", options: { version: "2" } });
  return {
    call,
    tokenOf: async (grant) => {
      const name = stackPolicyName(grant.stack);
      await done("PUT", `sys/policies/acl/${name}`, { policy: stackPolicy(grant) });
      const made = await done("POST", "auth/token/create", { policies: [name], no_parent: true, no_default_policy: true });
      return authSchema.parse(made).auth.client_token;
    },
    letIn: async ({ stack, namespaces }, { host, ca, reviewer }) => {
      const mount = authMountOf(stack);
      await done("POST", `sys/auth/${mount}`, { type: "kubernetes" });
      const config = { kubernetes_host: host, kubernetes_ca_cert: ca, token_reviewer_jwt: reviewer, disable_local_ca_jwt: true };
      await done("POST", `auth/${mount}/config`, config);
      for (const { role, reader, namespace, paths } of namespaces) {
        const policy = namespacePolicyName(stack, role);
        await done("PUT", `sys/policies/acl/${policy}`, { policy: readPolicy(paths) });
        await done("POST", `auth/${mount}/role/${role}`, {
          audience: VAULT_AUDIENCE,
          bound_service_account_names: [reader],
          bound_service_account_namespaces: [namespace],
          token_policies: [policy],
        });
      }
    },
    stop: async () => {
      world.ctx.network.unlisten(hostname, 443);
      front.closeAllConnections();
      await new Promise<void>((resolve) => front.close(() => resolve()));
      await vault.stop();
    },
  };
}

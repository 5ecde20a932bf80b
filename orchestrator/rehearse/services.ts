/** Whether what was built works: names, certificates, clusters, secrets, copies. It is asked from outside, as its users do. */

import * as fs from "node:fs";
import * as path from "node:path";
import { ProxyAgent, request } from "undici";
import { parse } from "yaml";
import { z } from "zod";
import { counted } from "../../common/counted";
import { asError } from "../../common/errors";
import type { Program } from "../target/program";
import type { RehearsalLab } from "./rehearsal-lab";
import { firstLine } from "./verdict";

export interface Proof {
  what: string;
  ok: boolean;
  says: string;
}

/** The part of a rehearsal's lab that the proofs use. */
export type ProvenLab = Pick<RehearsalLab, "dir" | "homelab" | "homelabWith" | "settle"> & { readonly files: Pick<RehearsalLab["files"], "proxy"> };

/** Milliseconds for one answer. */
const PATIENCE = 20_000;

interface Answer {
  status: number;
  body: string;
}

/** @param tls the CA to trust and a client certificate; default: the homelab's own authority, and no client certificate */
async function ask(lab: ProvenLab, url: string, headers: Record<string, string> = {}, tls?: { ca: string; cert: string; key: string }): Promise<Answer> {
  const requestTls = tls ?? { ca: fs.readFileSync(path.join(lab.dir, "trusted.pem"), "utf8") };
  const agent = new ProxyAgent({ uri: lab.files.proxy, requestTls, proxyTunnel: true });
  try {
    const answer = await request(url, { dispatcher: agent, headers, signal: AbortSignal.timeout(PATIENCE) });
    return { status: answer.statusCode, body: await answer.body.text() };
  } finally {
    await agent.close();
  }
}

/** @param work returns what was found, or throws what is wrong */
export async function proofOf(what: string, work: () => Promise<string>): Promise<Proof> {
  try {
    return { what, ok: true, says: await work() };
  } catch (thrown) {
    return { what, ok: false, says: asError(thrown).message };
  }
}

/** As {@link proofOf}, with only the first line of a failure. */
async function prove(what: string, work: () => Promise<string>): Promise<Proof> {
  const { ok, says } = await proofOf(what, work);
  return { what, ok, says: ok ? says : firstLine(says) };
}

/** The path to ask for where a module serves nothing at `/`. */
const PATHS: Readonly<Record<string, string>> = { vault: "/v1/sys/health" };

/** A route answers, with a certificate that the homelab's users trust. A 404 (no such route) and a 5xx (no service behind it) do not count. */
function proveRoute(lab: ProvenLab, host: string, owner: string): Promise<Proof> {
  return prove(`https://${host}`, async () => {
    const { status } = await ask(lab, `https://${host}${PATHS[owner] ?? "/"}`);
    if (status === 404 || status >= 500) throw new Error(`answered ${status}`);
    return `answered ${status}`;
  });
}

const kubeconfigSchema = z.object({
  clusters: z.array(z.object({ cluster: z.looseObject({ server: z.string(), "certificate-authority-data": z.string() }) })).length(1),
  users: z.array(z.object({ user: z.looseObject({ "client-certificate-data": z.string(), "client-key-data": z.string() }) })).length(1),
});

/** The kubeconfig that a person takes from Vault opens its cluster. */
function proveKubeconfig(lab: ProvenLab, stack: string, vault: { address: string; token: string }): Promise<Proof> {
  return prove(`kubeconfig of ${stack}, read from Vault`, async () => {
    const entry = await ask(lab, `${vault.address}/v1/kv/data/clusters/${stack}/kubeconfig`, { "x-vault-token": vault.token });
    if (entry.status !== 200) throw new Error(`Vault answered ${entry.status}`);
    const { data } = z.object({ data: z.object({ data: z.record(z.string(), z.string()) }) }).parse(JSON.parse(entry.body)).data;
    const config = kubeconfigSchema.parse(parse(Object.values(data)[0] ?? ""));
    const [cluster, user] = [config.clusters[0]?.cluster, config.users[0]?.user];
    if (cluster === undefined || user === undefined) throw new Error("it names no cluster");
    const pem = (text: string): string => Buffer.from(text, "base64").toString("utf8");
    const tls = { ca: pem(cluster["certificate-authority-data"]), cert: pem(user["client-certificate-data"]), key: pem(user["client-key-data"]) };
    const nodes = await ask(lab, `${cluster.server}/api/v1/nodes`, {}, tls);
    if (nodes.status !== 200) throw new Error(`its API answered ${nodes.status}`);
    const { items } = z.object({ items: z.array(z.unknown()).min(1) }).parse(JSON.parse(nodes.body));
    return `${cluster.server}: ${counted(items.length, "node")}`;
  });
}

/** Reads with a token that is made for this and revoked afterwards. */
async function proveClusters(lab: ProvenLab, program: Pick<Program, "graph">): Promise<Proof[]> {
  const status = await lab.homelab("vault", "status", "--lab", "--json");
  const root = await lab.homelab("vault", "root", "--lab", "--json");
  if (status.code !== 0 || root.code !== 0) return [{ what: "Vault", ok: false, says: firstLine(status.stderr + root.stderr) }];
  const { address } = z.object({ address: z.string() }).parse(JSON.parse(status.stdout));
  const { token } = z.object({ token: z.string() }).parse(JSON.parse(root.stdout));
  const proofs: Proof[] = [];
  for (const stack of program.graph.names()) proofs.push(await proveKubeconfig(lab, stack, { address, token }));
  const revoked = await lab.homelabWith(token, "vault", "revoke", "--lab");
  if (revoked.code !== 0) proofs.push({ what: "Vault", ok: false, says: `the token of these proofs is still valid: ${firstLine(revoked.stderr)}` });
  return proofs;
}

/** A copy of all states is taken and put back; then nothing is to be changed. */
function proveBackup(lab: ProvenLab): Promise<Proof> {
  return prove("copy of all states, restored", async () => {
    const folder = path.join(lab.dir, "copy-of-states");
    for (const words of [
      ["state", "backup", "--lab", "--to", folder],
      ["state", "restore", "--lab", "--from", folder],
      ["preview", "--lab", "--plain", "--expect-no-changes"],
    ]) {
      const { code, stderr, stdout } = await lab.homelab(...words);
      if (code !== 0) throw new Error(`homelab ${words.join(" ")} ended with ${code}: ${(stderr.trim() || stdout.trim()).split("\n").at(-1) ?? ""}`);
    }
    return "restored; a preview after it has no changes";
  });
}

/** Every route and cluster of the homelab, and a copy of its states. */
export async function proveServices(lab: ProvenLab, program: Pick<Program, "graph" | "routes">): Promise<Proof[]> {
  await lab.settle();
  const routes: Proof[] = [];
  for (const { host, owner } of program.routes ?? []) routes.push(await proveRoute(lab, host, owner));
  return [...routes, ...(await proveClusters(lab, program)), await proveBackup(lab)];
}

/**
 * `node bin/stacks/probe.js`: asks the servers of the homelab for what would make a run fail. Takes what is built as JSON on standard input
 * and prints findings as JSON; `homelab doctor` is its parent. Changes nothing. Loads no Pulumi SDK.
 */
import { z } from "zod";
import { systemClock } from "../common/clock";
import { inPool } from "../common/pool";
import { loadSecrets } from "../secrets/load";
import { runChild } from "./child";
import { bastionFromEnvironment } from "./load/bastion";
import { type Estate, loadEstate } from "./load/estate";
import { hostSchema } from "./outputs/inventory";
import { planEstate } from "./plan/plan";
import { PROXMOX_SECRET, PROXMOX_TOKEN_ID, SSH_PRIVATE_KEY } from "./plan/secret-paths";
import { type Finding, orWrong } from "./probes/finding";
import { probeHost } from "./probes/hosts";
import { probeCertificate, probeNames } from "./probes/names";
import { probeProxmox } from "./probes/proxmox";
import { probeVault } from "./probes/vault";

const requestSchema = z.strictObject({
  /** Stacks that are built. */
  stacks: z.array(z.string()),
  hosts: z.array(z.strictObject({ name: z.string(), stack: z.string(), port: z.int().optional(), host: hostSchema })),
  /** Where Vault is, once its stack is built. */
  vaultAddress: z.string().optional(),
});

/** Probes at once. They mostly wait for the network. */
const AT_ONCE = 6;

interface SecretKey {
  readonly path: string;
  readonly key: string;
}

/** What the probes are about, and how they get what they need. */
interface Parts {
  readonly estate: Estate;
  readonly secretOf: (at: SecretKey) => Promise<string>;
  readonly bastion: typeof bastionFromEnvironment;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

async function secretOf(at: SecretKey): Promise<string> {
  const value = (await loadSecrets({ only: [at.path] })).get(at.path)?.[at.key];
  if (value === undefined) throw new Error(`there is no secret "${at.key}" in ${at.path}`);
  return value;
}

/** @param input the request as JSON. @returns findings; a server that does not answer is one of them */
export async function probe(input: string, { estate, secretOf, bastion, now }: Parts): Promise<{ version: 1; findings: Finding[] }> {
  const { stacks, hosts, vaultAddress } = requestSchema.parse(JSON.parse(input));
  const { proxmoxEndpoint, nameserver } = estate.site;
  const plans = planEstate(estate);
  const hostNames = stacks.flatMap((stack) => plans.get(stack)?.platform.hosts ?? []);
  const routes = hostNames.filter(({ route }) => route === "ingress").map(({ name }) => name);
  const proxmox = orWrong("proxmox", `look at ${proxmoxEndpoint}: switched on, in this network, its certificate trusted here`, async () =>
    probeProxmox({ endpoint: proxmoxEndpoint, tokenId: await secretOf(PROXMOX_TOKEN_ID), secret: await secretOf(PROXMOX_SECRET) }, estate.proxmox, now),
  );
  const endpoint = new URL(proxmoxEndpoint);
  const ownCertificate = probeCertificate(
    endpoint.hostname,
    now(),
    "renew it on the node: `pvenode acme cert renew`, or upload one",
    Number(endpoint.port || 443),
  );
  const onHosts = orWrong("hosts", "see docs/secrets.md", async () => {
    if (hosts.length === 0) return [];
    const access = { privateKey: await secretOf(SSH_PRIVATE_KEY), bastion: bastion() };
    return (await inPool(hosts, AT_ONCE, (host) => probeHost(host, access, now))).flat();
  });
  const vault = vaultAddress === undefined ? [] : await orWrong("vault", "look at the pod of Vault, and at the route to it", () => probeVault(vaultAddress));
  const names =
    hostNames.length === 0
      ? []
      : await probeNames(
          nameserver,
          hostNames.map(({ name }) => name),
        );
  const certificates = await inPool(routes, AT_ONCE, (host) =>
    probeCertificate(host, now(), "cert-manager renews it: `kubectl describe certificate` in its namespace says why not"),
  );
  const findings: Finding[] = [...(await proxmox), await ownCertificate, ...(await onHosts), ...vault, ...names, ...certificates];
  return { version: 1, findings };
}

if (require.main === module) {
  runChild((input) => probe(input, { estate: loadEstate(), secretOf, bastion: bastionFromEnvironment, now: systemClock.now }));
}

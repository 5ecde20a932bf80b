import { HomelabError } from "../../common/errors";
import { ProxmoxHost } from "../../components/hosts/proxmox-host";
import { ProxmoxStorage } from "../../components/hosts/proxmox-storage";
import { Minio } from "../../components/platform/minio";
import { Vault } from "../../components/platform/vault";
import { VaultEntries } from "../../components/platform/vault-entries";
import { CLOUD_IMAGE, defined, madeStorages, NODES, nameOf } from "../hosts";
import type { StackProgram } from "../program";
import { buildCertManager, buildCluster, buildClusterServices, buildVms, hostOutputs, proxmoxProvider } from "./cluster";

const STORAGE_CLASS = "local-path";

/** The Proxmox hosts, the VMs that serve all environments, and Vault and MinIO on their own cluster. */
export const tools: StackProgram<"tools", never> = (context) => {
  const proxmox = proxmoxProvider(context);
  const storages = madeStorages(NODES).map(({ spec, nodes }) => ({ nodes, storage: new ProxmoxStorage(`storage-${spec.name}`, { spec, nodes }, proxmox) }));
  const hosts = new Map(
    NODES.map((node) => [
      node.name,
      new ProxmoxHost(
        node.name,
        {
          node: node.name,
          bridges: defined(node.bridges),
          storages: storages.flatMap(({ nodes, storage }) => (nodes.includes(node.name) ? [storage.entry] : [])),
          bridge: nameOf(node.bridges[0] ?? "vmbr0"),
          image: { ...CLOUD_IMAGE, datastore: nameOf(node.fileStorage) },
          isos: node.isos.map((iso) => ({ ...iso, datastore: nameOf(node.fileStorage) })),
          templateName: CLOUD_IMAGE.templateName,
          templateId: node.templateId,
          templateStorage: node.templateStorage,
        },
        proxmox,
      ),
    ]),
  );
  const vms = buildVms(context, proxmox, (node) => {
    const host = hosts.get(node);
    if (host === undefined) throw new HomelabError("E_TEMPLATE", `there is no host ${node}`, { subject: node });
    return host.templateId;
  });
  const cluster = buildCluster(context, vms, "k8s-tools");
  const certManager = buildCertManager(context, cluster);
  const shared = { storageClass: STORAGE_CLASS, ingressClass: context.config.ingressClass, issuer: certManager.issuer };
  const minio = new Minio(
    "minio",
    {
      ...shared,
      rootUser: context.secrets.get("cluster-secret-store/secrets/MINIO", "rootUser"),
      rootPassword: context.secrets.get("cluster-secret-store/secrets/MINIO", "rootPassword"),
      domain: context.site.domain,
    },
    cluster.provider,
  );
  const vault = new Vault(
    "vault",
    {
      ...shared,
      address: context.site.vaultAddress,
      checkout: context.checkout,
      instance: cluster.instance,
      stack: context.stack,
      grants: context.grants(),
    },
    cluster.provider,
  );
  const stored = { mount: vault.mount, entries: context.secrets.all(), keepRemoved: true };
  const entries = new VaultEntries("secrets", stored, vault.provider);
  // What is in Vault goes with it here: no need to say which one it is.
  const { provider, mount, address } = vault;
  buildClusterServices(context, cluster, { provider, mount, address }, [entries, vault.grants]);
  return {
    kubeconfig: cluster.kubeconfig,
    clusterEndpoint: cluster.endpoint,
    ...hostOutputs(context, vms),
    urls: { vault: vault.address, s3: minio.apiUrl, minio: minio.consoleUrl },
    templateIds: Object.fromEntries([...hosts].map(([name, host]) => [name, host.templateId])),
    vaultAddress: vault.address,
    vaultId: vault.id,
    vaultTokens: vault.tokens,
  };
};

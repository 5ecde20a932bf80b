/** The secrets of this homelab: which files there are, and who reads them. */
import * as path from "node:path";
import { entryKeys, loadSecrets } from "../../secrets/load";
import { recipientsFor } from "../../secrets/sops-config";
import { loadEstate } from "../../stacks/load/estate";
import { secretPaths } from "../../stacks/plan/hosts/plan-roles";
import { planEstate } from "../../stacks/plan/plan";
import { PROXMOX_SECRET, PROXMOX_TOKEN_ID, SSH_PRIVATE_KEY } from "../../stacks/plan/secret-paths";

const ROOT = path.join(__dirname, "../..");

test("its configuration names the lab's key", () => {
  expect(recipientsFor("secrets/vault/keys.yaml")).toEqual(["age10gl6ujwh0wrkw6et503urkckg8llhp9rjuec9kdthxyz9zyyuc4qwfnyfn"]);
});

test("the files all open with the lab's key and have the shape that they must", async () => {
  process.env["SOPS_AGE_KEY_FILE"] = path.join(ROOT, "secrets/lab-only.agekey");
  const entries = await loadSecrets({ root: path.join(ROOT, "secrets") });
  expect(
    Object.fromEntries([...entries].map(([name, values]) => [name.replace("cluster-secret-store/secrets/", "…/"), Object.keys(values)])),
  ).toMatchInlineSnapshot(`
{
  "cloudflare": [
    "api-token",
  ],
  "…/ALERTING": [
    "ALERT_WEBHOOK_URL",
    "ALERT_HEARTBEAT_URL",
  ],
  "…/ARGOCD": [
    "ADMIN_PASSWORD_BCRYPT",
    "ARGOCD_REDIS_PASSWORD",
    "ARGOCD_SERVER_SECRET_KEY",
  ],
  "…/AWS_ACCESS_KEY_ID": [
    "AWS_ACCESS_KEY_ID",
  ],
  "…/AWS_SECRET_ACCESS_KEY": [
    "AWS_SECRET_ACCESS_KEY",
  ],
  "…/BOX_DEV": [
    "BOX_DEV_PASSWORD",
  ],
  "…/BOX_HOME": [
    "BOX_HOME_PASSWORD",
  ],
  "…/BOX_OBSERVABILITY": [
    "BOX_OBSERVABILITY_PASSWORD",
  ],
  "…/BOX_PROD": [
    "BOX_PROD_PASSWORD",
  ],
  "…/BOX_SANDBOXY": [
    "BOX_SANDBOXY_PASSWORD",
  ],
  "…/BOX_STG": [
    "BOX_STG_PASSWORD",
  ],
  "…/BOX_TOOLS": [
    "BOX_TOOLS_PASSWORD",
  ],
  "…/CKS": [
    "kubeconfig",
    "ssh_key",
  ],
  "…/EXTERNAL_DNS_PIHOLE_PASSWORD": [
    "PIHOLE_PASSWORD",
  ],
  "…/GITLAB_TOKEN": [
    "GITLAB_TOKEN",
  ],
  "…/GRAFANA": [
    "GRAFANA_USER",
    "GRAFANA_PASSWORD",
  ],
  "…/HAPROXY": [
    "HAPROXY_STATS_PASSWORD",
  ],
  "…/HARBOR": [
    "HARBOR_REGISTRY_PASSWORD",
    "HARBOR_CORE_SECRET",
    "HARBOR_XSRF_KEY",
    "HARBOR_JOBSERVICE_SECRET",
    "HARBOR_REGISTRY_SECRET",
    "HARBOR_REGISTRY_HTPASSWD",
    "HARBOR_DB_PASSWORD",
    "HARBOR_VALKEY_PASSWORD",
  ],
  "…/HARBOR_FIRST": [
    "HARBOR_ADMIN_PASSWORD",
    "HARBOR_SECRET_KEY",
  ],
  "…/HARBOR_KEY": [
    "HARBOR_KEY",
  ],
  "…/IMMICH": [
    "DB_PASSWORD",
    "VALKEY_PASSWORD",
  ],
  "…/ISTIO_PRIMARY_CA": [
    "ISTIO_PRIMARY_CA",
  ],
  "…/MINIO": [
    "rootUser",
    "rootPassword",
  ],
  "…/MINIO_USERS": [
    "postgres-backups",
    "state-reader",
    "state-backup",
  ],
  "…/NATS": [
    "NATS_PASSWORD",
  ],
  "…/ORACLE_CLOUD": [
    "userOcid",
    "tenancyOcid",
    "fingerprint",
    "privateKey",
    "region",
    "namespace",
    "bucket",
    "accessKeyId",
    "secretAccessKey",
  ],
  "…/POSTGRES": [
    "POSTGRES_DATABASE",
    "POSTGRES_HOST",
    "POSTGRES_PORT",
    "POSTGRES_USER",
    "POSTGRES_PASSWORD",
    "POSTGRES_SSL_CA",
    "POSTGRES_SSL_CERT",
    "POSTGRES_SSL_KEY",
  ],
  "…/POSTGRES_DEV": [
    "POSTGRES_DEV_PASSWORD",
  ],
  "…/PROXMOX_SECRET": [
    "PROXMOX_SECRET",
  ],
  "…/PROXMOX_TOKEN_ID": [
    "PROXMOX_TOKEN_ID",
  ],
  "…/PROXMOX_URL": [
    "PROXMOX_URL",
  ],
  "…/REDIS": [
    "REDIS_PASSWORD",
  ],
  "…/SSH_PRIVATE_KEY": [
    "SSH_PRIVATE_KEY",
  ],
  "…/TELEPORT": [
    "SSL_CA",
    "SSL_CERT",
    "SSL_KEY",
  ],
  "…/TELEPORT_AGENT": [
    "JOIN_TOKEN",
  ],
  "…/github_token": [
    "github_token",
  ],
}
`);
});

/** Entries of secrets/ that nothing reads yet, each with its future reader. An entry that is read must leave this table. */
const STORE = "cluster-secret-store/secrets";
const AWAITED: Record<string, string> = {
  [`${STORE}/AWS_ACCESS_KEY_ID`]: "Teleport's role, which the stack tools does not set up",
  [`${STORE}/AWS_SECRET_ACCESS_KEY`]: "Teleport's role, which the stack tools does not set up",
  [`${STORE}/ISTIO_PRIMARY_CA`]: "Istio of dev",
  [`${STORE}/PROXMOX_URL`]: "the role of Cluster API takes the site's own address",
  [`${STORE}/TELEPORT`]: "databases that Teleport's users reach by its certificates",
};

test("each entry of secrets/ has a reader, or stands here with what it waits for", () => {
  const plans = planEstate(loadEstate());
  const roles = [...plans.values()].flatMap(({ roles: planned }) => secretPaths([...planned.values()].flat()));
  const programs = [PROXMOX_TOKEN_ID, PROXMOX_SECRET, SSH_PRIVATE_KEY].map(({ path: entry }) => entry);
  const modules = [...plans.values()].flatMap(({ platform }) =>
    platform.modules.flatMap(({ parts }) => [
      ...parts.programSecrets.map(({ path: entry }) => entry),
      ...parts.namespaceSecrets.flatMap(({ wanted }) => wanted.flatMap(({ data }) => Object.values(data).map(({ path: entry }) => entry))),
    ]),
  );
  const applications = [...plans.values()].flatMap(({ platform }) =>
    [...platform.applicationSecrets.values()].flatMap((wanted) => wanted.flatMap(({ data }) => Object.values(data).map(({ path: entry }) => entry))),
  );
  const read = new Set([...roles, ...programs, ...modules, ...applications]);
  expect([...entryKeys().keys()].filter((entry) => !read.has(entry)).toSorted()).toEqual(Object.keys(AWAITED).toSorted());
});

import * as crypto from "node:crypto";
import { HomelabError } from "../../common/errors";
import { quote } from "../../common/quote";
import { command, waitUntil } from "../operations/commands";
import { type ContentPart, directory, file } from "../operations/files";
import { packages, pinnedPackages } from "../operations/packages";
import { aptRepository } from "../operations/repositories";
import { service, unitRunning } from "../operations/services";
import { KEYS, TELEPORT_VERSION } from "../pins";
import type { Operation, Role } from "../role";

export interface TeleportRole {
  name: string;
  /** `spec` of a Teleport role of version 7. */
  spec: Readonly<Record<string, unknown>>;
}

export interface TeleportArgs {
  /** Public name of the proxy: `teleport.example.org`. Its wildcard is served as well. */
  domain: string;
  clusterName: string;
  /** Address for notices of the certificate authority. */
  acmeEmail: string;
  /** State and audit log. The password is the secret TELEPORT_POSTGRES_PASSWORD. */
  postgres: { host: string; port?: number; user: string; database: string; auditDatabase: string; tlsMode?: "verify-full" | "require" };
  /** Recordings of sessions: an S3 bucket. Its keys are the secrets AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. */
  sessions: { bucket: string; endpoint: string; region: string };
  roles: readonly TeleportRole[];
  /** Default: {@link TELEPORT_VERSION}. */
  version?: string;
  /** Of the host. Default Ubuntu 24.04. */
  distribution?: { id: "debian" | "ubuntu"; codename: string };
}

const CONFIG = "/etc/teleport.yaml";
/** systemd gives it to Teleport alone; the connection string has no password in it. */
const ENVIRONMENT = "/etc/teleport.environment";
const DROP_IN_PATH = "/etc/systemd/system/teleport.service.d/homelab.conf";
const DROP_IN = `[Service]\nEnvironmentFile=${ENVIRONMENT}\n`;
const CLOUDFLARE = "/etc/letsencrypt/cloudflare.ini";
const DIAGNOSTICS = "127.0.0.1:3000";
const READY_SECONDS = 120;
/** A certificate is renewed 30 days before its end; with less than a week left, renewal is broken. */
const LEAST_SECONDS = 7 * 86400;

const json = (text: string): string => JSON.stringify(text);

function configFile({ domain, clusterName, postgres, sessions }: TeleportArgs): string {
  const { host, port = 5432, user, database, auditDatabase, tlsMode = "verify-full" } = postgres;
  const connection = (name: string) => `postgresql://${encodeURIComponent(user)}@${host}:${port}/${encodeURIComponent(name)}?sslmode=${tlsMode}`;
  const recordings = `s3://${sessions.bucket}/sessions?endpoint=${encodeURIComponent(sessions.endpoint)}&region=${encodeURIComponent(sessions.region)}`;
  const live = `/etc/letsencrypt/live/${domain}`;
  return `version: v3
teleport:
  nodename: ${json(domain)}
  data_dir: /var/lib/teleport
  diag_addr: ${json(DIAGNOSTICS)}
  log:
    output: stderr
    severity: INFO
  storage:
    type: postgresql
    conn_string: ${json(connection(database))}
    audit_events_uri:
      - ${json(connection(auditDatabase))}
    audit_sessions_uri: ${json(recordings)}
auth_service:
  enabled: true
  cluster_name: ${json(clusterName)}
  listen_addr: 0.0.0.0:3025
  session_recording: node-sync
  authentication:
    type: local
    second_factors: [otp, webauthn]
    webauthn:
      rp_id: ${json(domain)}
proxy_service:
  enabled: true
  web_listen_addr: 0.0.0.0:3080
  listen_addr: 0.0.0.0:3023
  tunnel_listen_addr: 0.0.0.0:3024
  kube_listen_addr: 0.0.0.0:3026
  mysql_listen_addr: 0.0.0.0:3036
  postgres_listen_addr: 0.0.0.0:5432
  public_addr: ${json(`${domain}:3080`)}
  # Where certbot puts them: a renewed certificate is read from here, nothing is copied.
  https_keypairs:
    - key_file: ${live}/privkey.pem
      cert_file: ${live}/fullchain.pem
  https_keypairs_reload_interval: 1h
ssh_service:
  enabled: true
`;
}

const environmentFile: readonly ContentPart[] = [
  'PGPASSWORD="',
  { secret: "TELEPORT_POSTGRES_PASSWORD", as: "quoted" },
  '"\nAWS_ACCESS_KEY_ID="',
  { secret: "AWS_ACCESS_KEY_ID", as: "quoted" },
  '"\nAWS_SECRET_ACCESS_KEY="',
  { secret: "AWS_SECRET_ACCESS_KEY", as: "quoted" },
  '"\n',
];

function certificate({ domain, acmeEmail }: TeleportArgs): Operation {
  const chain = quote(`/etc/letsencrypt/live/${domain}/fullchain.pem`);
  return command(
    `certificate of ${domain}`,
    `[ -s ${chain} ] && openssl x509 -in ${chain} -noout -checkend ${LEAST_SECONDS} >/dev/null`,
    `certbot certonly --non-interactive --agree-tos --keep-until-expiring --email=${quote(acmeEmail)} --cert-name=${quote(domain)} --dns-cloudflare --dns-cloudflare-credentials=${CLOUDFLARE} --domains=${quote(`${domain},*.${domain}`)}`,
  );
}

/** The server adds defaults to a role that it stores, so the two texts differ. A label has the digest of the text that the role was made from. */
function tctlRole({ name, spec }: TeleportRole): Operation {
  if (!/^[a-z][a-z0-9-]*$/.test(name)) throw new HomelabError("E_ROLE_ARGS", `teleport: "${name}" is no name of a role`);
  const digest = crypto.createHash("sha256").update(JSON.stringify(spec)).digest("hex").slice(0, 40);
  const resource = JSON.stringify({ kind: "role", version: "v7", metadata: { name, labels: { "homelab-digest": digest } }, spec });
  return command(
    `teleport role ${name}`,
    `tctl --config=${CONFIG} get ${quote(`role/${name}`)} --format=json 2>/dev/null | grep -q -e ${quote(`"homelab-digest": *"${digest}"`)}`,
    `printf '%s' ${quote(resource)} | tctl --config=${CONFIG} create -f`,
  );
}

/** Teleport's auth service and proxy, with certificates that renew themselves and roles that are kept as they are written here. */
export function teleport(args: TeleportArgs): Role {
  const { version = TELEPORT_VERSION, distribution = { id: "ubuntu", codename: "noble" }, domain } = args;
  const major = /^(\d+)\.\d+\.\d+$/.exec(version)?.[1];
  if (major === undefined) throw new HomelabError("E_ROLE_ARGS", `Teleport "${version}" is no version`, { hint: "write it as 17.7.1" });
  if (!/^[a-z0-9.-]+$/.test(domain)) throw new HomelabError("E_ROLE_ARGS", `teleport: "${domain}" is no domain name`);
  const server = "https://apt.releases.teleport.dev";
  const config = configFile(args);
  const hooks = "/etc/letsencrypt/renewal-hooks/deploy";
  return {
    name: "teleport",
    secrets: ["CLOUDFLARE_API_TOKEN", "TELEPORT_POSTGRES_PASSWORD", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"],
    operations: [
      packages("ca-certificates", "certbot", "curl", "gnupg", "openssl", "python3-certbot-dns-cloudflare"),
      ...aptRepository({
        name: "teleport",
        uri: `${server}/${distribution.id}`,
        suite: distribution.codename,
        components: [`stable/v${major}`],
        key: { url: `${server}/gpg`, fingerprint: KEYS.teleport },
      }),
      pinnedPackages({ teleport: version }),
      directory(hooks, { mode: "0755" }),
      file({ path: CLOUDFLARE, mode: "0600", content: ["dns_cloudflare_api_token = ", { secret: "CLOUDFLARE_API_TOKEN" }, "\n"] }),
      file({
        path: `${hooks}/teleport`,
        mode: "0755",
        content: "#!/bin/sh\n# A renewed certificate reaches Teleport at once.\nexec systemctl reload teleport.service\n",
      }),
      certificate(args),
      unitRunning("certbot.timer"),
      file({ path: ENVIRONMENT, mode: "0600", content: environmentFile }),
      directory("/etc/systemd/system/teleport.service.d", { mode: "0755" }),
      file({ path: DROP_IN_PATH, mode: "0644", content: DROP_IN }),
      file({ path: CONFIG, mode: "0600", content: config, validate: (path) => `teleport configure --test ${path} >/dev/null`, backup: true }),
      service({ name: "teleport", startedWith: [version, config, DROP_IN], writtenTo: [CONFIG, DROP_IN_PATH], startedWithFiles: [ENVIRONMENT] }),
      waitUntil("teleport ready", `curl -fsS -o /dev/null http://${DIAGNOSTICS}/readyz`, READY_SECONDS),
      ...args.roles.map(tctlRole),
    ],
  };
}

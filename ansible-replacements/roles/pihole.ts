import { isIPv4 } from "node:net";
import { HomelabError } from "../../common/errors";
import { parseReference } from "../../common/image-reference";
import { waitUntil } from "../operations/commands";
import { directory, file } from "../operations/files";
import { packages } from "../operations/packages";
import { service } from "../operations/services";
import { PIHOLE_IMAGE } from "../pins";
import type { Role } from "../role";

export interface PiholeArgs {
  /** Resolvers that it asks. */
  upstreams: readonly string[];
  /**
   * Fixed names: host name to address. They are in a hosts file of Pi-hole's, beside the records that its API keeps, so that
   * external-dns can neither change nor lose them. Default none.
   */
  hosts?: Readonly<Record<string, string>>;
  /** Time zone of its log. Default Etc/UTC. */
  timeZone?: string;
  /** With a tag that is a version, or a digest. Default: {@link PIHOLE_IMAGE}. */
  image?: string;
}

const UNIT = "/etc/containers/systemd/pihole.container";
const ENVIRONMENT = "/etc/pihole.environment";
const DATA = "/var/lib/pihole";
/** Pi-hole's dnsmasq reads every file of this folder (pi-hole/FTL, dnsmasq_config.h). */
const HOSTS_FOLDER = `${DATA}/hosts`;
const HOSTS_FILE = `${HOSTS_FOLDER}/homelab.list`;
const RESOLVED = "/etc/systemd/resolved.conf.d/homelab.conf";
/** systemd's own resolver listens on port 53 otherwise. */
const NO_STUB = "[Resolve]\nDNSStubListener=no\nDNS=127.0.0.1\n";
const READY_SECONDS = 120;

function unitFile(image: string, timeZone: string, upstreams: readonly string[]): string {
  return `[Unit]
Description=Pi-hole
Wants=network-online.target
After=network-online.target systemd-resolved.service

[Container]
Image=${image}
ContainerName=pihole
Network=host
AddCapability=CAP_NET_BIND_SERVICE CAP_CHOWN CAP_SETUID CAP_SETGID CAP_SETFCAP
Volume=${DATA}:/etc/pihole
EnvironmentFile=${ENVIRONMENT}
Environment=TZ=${timeZone}
Environment=FTLCONF_dns_listeningMode=all
Environment=FTLCONF_dns_upstreams=${upstreams.join(";")}

[Service]
Restart=always
TimeoutStartSec=900

[Install]
WantedBy=multi-user.target
`;
}

function check({ upstreams, hosts = {}, timeZone = "Etc/UTC", image = PIHOLE_IMAGE }: PiholeArgs): void {
  const fail = (message: string, hint?: string): never => {
    throw new HomelabError("E_ROLE_ARGS", `pihole: ${message}`, hint === undefined ? {} : { hint });
  };
  if (upstreams.length === 0) fail("it needs at least one upstream resolver");
  const wrong = upstreams.find((address) => !isIPv4(address.split("#")[0] ?? ""));
  if (wrong !== undefined) fail(`upstream resolver "${wrong}" is no IPv4 address`);
  for (const [name, address] of Object.entries(hosts)) {
    if (!/^[a-z0-9.-]+$/.test(name) || !isIPv4(address)) fail(`"${name}" at "${address}" is not a host name with an IPv4 address`);
  }
  if (!/^[A-Za-z_/+-]+$/.test(timeZone)) fail(`"${timeZone}" is no time zone`);
  const { tag, digest } = parseReference(image) ?? {};
  if (digest === undefined && !/^\d/.test(tag ?? "")) fail(`image "${image}" is not pinned`, "give a version as its tag, or a digest");
}

/** Name resolution for the homelab: Pi-hole from its published image, run by podman as a systemd unit. The password of its page and API is the secret PIHOLE_PASSWORD. */
export function pihole(args: PiholeArgs): Role {
  check(args);
  // What the environment sets is read-only for Pi-hole's API: dns.hosts must not be among it, since external-dns writes it.
  const hosts = Object.entries(args.hosts ?? {})
    .map(([name, address]) => `${address} ${name}\n`)
    .sort()
    .join("");
  const unit = unitFile(args.image ?? PIHOLE_IMAGE, args.timeZone ?? "Etc/UTC", args.upstreams);
  return {
    name: "pihole",
    secrets: ["PIHOLE_PASSWORD"],
    operations: [
      packages("curl", "podman"),
      directory(DATA, { mode: "0755" }),
      directory(HOSTS_FOLDER, { mode: "0755" }),
      file({ path: HOSTS_FILE, mode: "0644", content: hosts }),
      directory("/etc/systemd/resolved.conf.d", { mode: "0755" }),
      file({ path: ENVIRONMENT, mode: "0600", content: ["FTLCONF_webserver_api_password=", { secret: "PIHOLE_PASSWORD" }, "\n"] }),
      directory("/etc/containers/systemd", { mode: "0755" }),
      file({ path: UNIT, mode: "0644", content: unit }),
      file({ path: RESOLVED, mode: "0644", content: NO_STUB }),
      service({ name: "systemd-resolved", startedWith: [NO_STUB], writtenTo: [RESOLVED] }),
      service({ name: "pihole", startedWith: [unit, hosts], writtenTo: [UNIT, HOSTS_FILE], startedWithFiles: [ENVIRONMENT], generated: true }),
      waitUntil("pihole answers", "curl -fsS -o /dev/null http://127.0.0.1/admin/", READY_SECONDS),
    ],
  };
}

import { isIPv4 } from "node:net";
import { HomelabError } from "../../common/errors";
import { quote } from "../../common/quote";
import { command } from "../operations/commands";
import { download } from "../operations/downloads";
import { type ContentPart, directory, file } from "../operations/files";
import { packages, pinnedPackages } from "../operations/packages";
import { aptRepository } from "../operations/repositories";
import { service } from "../operations/services";
import type { PinnedRelease } from "../pins";
import type { Operation, Role } from "../role";

export interface BootServerArgs {
  /** Address of this host. */
  address: string;
  /** Network that it serves: `10.20.0.0/24`. */
  network: string;
  /** Installer of Proxmox VE: version such as `8.4-1`, and the SHA-256 of its ISO. */
  iso: PinnedRelease;
  /** The tool that prepares the ISO: the Debian release that it is built for, its exact version, and the key of its package source. */
  assistant: { codename: string; version: string; keyFingerprint: string };
  answer: {
    fqdn: string;
    country: string;
    timeZone: string;
    keyboard: string;
    mailto: string;
    /** Public keys that may log in as root. The hash of root's password is the secret PVE_ROOT_PASSWORD_HASH. */
    sshKeys: readonly string[];
    /** Property filter of the one disk that may be erased, such as `ID_SERIAL=…`: never a name like sda. */
    diskFilter: Readonly<Record<string, string>>;
  };
}

const DATA = "/srv/boot";
const TFTP = `${DATA}/tftp`;
const WEB = `${DATA}/web`;
const SYSLINUX = "/usr/lib/syslinux/modules/bios";

function answerFile({ answer }: BootServerArgs): ContentPart[] {
  const json = (text: string) => JSON.stringify(text);
  const filters = Object.entries(answer.diskFilter).map(([key, value]) => `filter.${key} = ${json(value)}\n`);
  return [
    `[global]\nkeyboard = ${json(answer.keyboard)}\ncountry = ${json(answer.country)}\nfqdn = ${json(answer.fqdn)}\nmailto = ${json(answer.mailto)}\ntimezone = ${json(answer.timeZone)}\nroot-password-hashed = "`,
    { secret: "PVE_ROOT_PASSWORD_HASH", as: "json" },
    `"\nroot-ssh-keys = ${JSON.stringify(answer.sshKeys)}\n\n[network]\nsource = "from-dhcp"\n\n[disk-setup]\nfilesystem = "ext4"\n${filters.join("")}`,
  ];
}

function dnsmasqFile({ network }: BootServerArgs): string {
  // Port 0: no name server. `proxy`: the router keeps giving the addresses, this host only adds where to boot from.
  return `port=0
log-dhcp
dhcp-range=${network.split("/")[0]},proxy
enable-tftp
tftp-root=${TFTP}
pxe-service=x86PC,"Proxmox VE",lpxelinux
`;
}

const menuFile = ({ address, iso }: BootServerArgs): string => `DEFAULT local
PROMPT 0
TIMEOUT 100
LABEL local
  LOCALBOOT 0
LABEL proxmox
  MENU LABEL Install Proxmox VE ${iso.version} (erases the disk of the answer file)
  KERNEL http://${address}/pve/linux26
  INITRD http://${address}/pve/initrd
  APPEND vga=791 video=vesafb:ywrap,mtrr ramdisk_size=16777216 rw quiet splash=silent proxmox-start-auto-installer
`;

/** The installer requests the answer file by POST, which nginx refuses for files (405): `error_page` answers with the file instead. */
const nginxFile = ({ network }: BootServerArgs): string => `server {
  listen 80 default_server;
  root ${WEB};
  allow ${network};
  deny all;
  location = /answer.toml {
    error_page 405 =200 $uri;
  }
}
`;

/** Files made from the ISO. `made-from` is written last and has the ISO and the address: another one, or an interrupted run, makes them again. */
function bootFiles({ address, iso }: BootServerArgs, source: string): Operation {
  const made = `${iso.sha256} ${address}`;
  const work = `${DATA}/work`;
  const prepared = `${work}/auto.iso`;
  return command(
    "boot files",
    `[ "$(cat ${WEB}/pve/made-from 2>/dev/null)" = ${quote(made)} ] && [ -s ${WEB}/pve/linux26 ] && [ -s ${WEB}/pve/initrd ]`,
    [
      `rm -rf ${work} ${WEB}/pve`,
      `mkdir -p ${work} ${WEB}/pve`,
      `proxmox-auto-install-assistant prepare-iso ${source} --fetch-from=http --url=${quote(`http://${address}/answer.toml`)} --output=${prepared} --tmp=${work} >/dev/null`,
      `xorriso -osirrox on -indev ${prepared} -extract /boot/linux26 ${WEB}/pve/linux26`,
      `xorriso -osirrox on -indev ${prepared} -extract /boot/initrd.img ${work}/initrd`,
      // The installer looks for its ISO at the root of the initial file system, so the ISO is appended to it as a second archive.
      `mv ${prepared} ${work}/proxmox.iso`,
      `{ cat ${work}/initrd && (cd ${work} && printf 'proxmox.iso\\n' | cpio --quiet -o -H newc); } > ${WEB}/pve/initrd`,
      `chmod 0644 ${WEB}/pve/linux26 ${WEB}/pve/initrd`,
      `rm -rf ${work}`,
      `printf '%s' ${quote(made)} > ${WEB}/pve/made-from`,
    ].join(" &&\n  "),
  );
}

function check({ address, network, answer }: BootServerArgs): void {
  if (!isIPv4(address) || !isIPv4(network.split("/")[0] ?? "") || !network.includes("/"))
    throw new HomelabError("E_ROLE_ARGS", `boot-server: "${address}" in "${network}" is no address in a network`);
  if (Object.keys(answer.diskFilter).length === 0)
    throw new HomelabError("E_ROLE_ARGS", "boot-server: the answer file needs a filter for the disk", {
      hint: "the serial number of the disk: udevadm info -q property -n /dev/sda | grep ID_SERIAL",
    });
  if (answer.sshKeys.length === 0) throw new HomelabError("E_ROLE_ARGS", "boot-server: nobody could log in to the installed host: no SSH keys");
}

/** Installs Proxmox VE over the network: PXE beside the router's DHCP, the pinned ISO, and an answer file without a password in clear. */
export function bootServer(args: BootServerArgs): Role {
  check(args);
  const { iso, assistant } = args;
  const source = `${DATA}/proxmox-ve_${iso.version}.iso`;
  const menu = menuFile(args);
  const dnsmasq = dnsmasqFile(args);
  const nginx = nginxFile(args);
  const boot = ["lpxelinux.0", "ldlinux.c32"].map((name) => ({
    from: name === "lpxelinux.0" ? `/usr/lib/PXELINUX/${name}` : `${SYSLINUX}/${name}`,
    to: `${TFTP}/${name}`,
  }));
  return {
    name: "boot-server",
    secrets: ["PVE_ROOT_PASSWORD_HASH"],
    operations: [
      packages("ca-certificates", "cpio", "curl", "dnsmasq", "gnupg", "nginx-light", "pxelinux", "syslinux-common", "xorriso"),
      ...aptRepository({
        name: "proxmox",
        uri: "http://download.proxmox.com/debian/pve",
        suite: assistant.codename,
        components: ["pve-no-subscription"],
        key: { url: `https://enterprise.proxmox.com/debian/proxmox-release-${assistant.codename}.gpg`, fingerprint: assistant.keyFingerprint },
      }),
      pinnedPackages({ "proxmox-auto-install-assistant": assistant.version }),
      ...[DATA, TFTP, `${TFTP}/pxelinux.cfg`, WEB].map((path) => directory(path, { mode: "0755" })),
      download({ url: `https://enterprise.proxmox.com/iso/proxmox-ve_${iso.version}.iso`, sha256: iso.sha256, path: source, mode: "0644" }),
      bootFiles(args, source),
      command(
        "PXE loader",
        boot.map(({ from, to }) => `cmp -s ${from} ${to}`).join(" && "),
        boot.map(({ from, to }) => `cp ${from} ${to}.homelab-part && mv -f ${to}.homelab-part ${to}`).join(" && "),
      ),
      file({ path: `${TFTP}/pxelinux.cfg/default`, mode: "0644", content: menu }),
      // It has the hash of root's password: only the web server may read it, and answers only the homelab's network.
      file({ path: `${WEB}/answer.toml`, mode: "0640", owner: "root:www-data", content: answerFile(args) }),
      file({ path: "/etc/nginx/sites-available/default", mode: "0644", content: nginx }),
      service({ name: "nginx", startedWith: [], reloadedWithFiles: ["/etc/nginx/sites-available/default"] }),
      file({ path: "/etc/dnsmasq.d/homelab.conf", mode: "0644", content: dnsmasq, validate: (path) => `dnsmasq --test --conf-file=${path} 2>/dev/null` }),
      service({ name: "dnsmasq", startedWith: [dnsmasq], writtenTo: ["/etc/dnsmasq.d/homelab.conf"] }),
    ],
  };
}

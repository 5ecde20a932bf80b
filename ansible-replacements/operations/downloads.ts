import { quote } from "../../common/quote";
import type { Operation } from "../role";
import type { Ownership } from "./files";

/** Cache of the archives that were unpacked, named by their SHA-256; a cached archive is not downloaded again. */
const CACHE = "/var/cache/homelab";

export interface DownloadArgs extends Ownership {
  url: string;
  sha256: string;
  path: string;
}

function validate({ url, sha256 }: { url: string; sha256: string }): void {
  if (!url.startsWith("https://") || !/^[0-9a-f]{64}$/.test(sha256)) throw new Error(`download of ${url}: needs https and a SHA-256`);
}

/** Downloads into the folder of the target, so that the last step is one rename. A file with another SHA-256 is deleted. */
function fetchTo(path: string, { url, sha256, mode, owner = "root:root" }: Omit<DownloadArgs, "path">): string[] {
  const part = quote(`${path}.homelab-part`);
  return [
    `rm -f ${part}`,
    `{ curl -fsSL --retry 3 --connect-timeout 20 -o ${part} ${quote(url)} || { rm -f ${part}; false; }; }`,
    `{ hl_sha256 ${part} ${sha256} || { rm -f ${part}; false; }; }`,
    `chmod ${quote(mode)} ${part}`,
    `chown ${quote(owner)} ${part}`,
    `mv -f ${part} ${quote(path)}`,
  ];
}

/** A file from the network, with a known SHA-256. */
export function download(args: DownloadArgs): Operation {
  validate(args);
  const path = quote(args.path);
  const stat = `${args.mode.replace(/^0+(?=\d)/, "")} ${args.owner ?? "root:root"}`;
  return {
    name: `download ${args.path}`,
    check: [`hl_is_file ${path}`, `hl_is_owned ${path} ${quote(stat)}`, `hl_sha256 ${path} ${args.sha256}`],
    apply: fetchTo(args.path, args),
  };
}

export interface ArchivedBinaryArgs {
  /** Of a `.tar.gz`. */
  url: string;
  /** Of the archive. */
  sha256: string;
  /** The program's name inside the archive. */
  member: string;
  path: string;
}

/** A program out of an archive with a known SHA-256. A file in the cache records the digests of the archive and of the program. */
export function archivedBinary(args: ArchivedBinaryArgs): Operation {
  validate(args);
  const path = quote(args.path);
  const part = quote(`${args.path}.homelab-part`);
  const cached = `${CACHE}/${args.sha256}`;
  const origin = quote(`${CACHE}/${args.path.replaceAll("/", "_")}.origin`);
  const digest = (name: string) => `"$(sha256sum ${name} | cut -d ' ' -f 1)"`;
  return {
    name: `program ${args.path}`,
    check: [
      `hl_is_file ${path}`,
      `hl_is_owned ${path} '755 root:root'`,
      `{ [ "$(cat ${origin} 2>/dev/null)" = "${args.sha256} "${digest(path)} ] || hl_say ${quote(`${args.path} is not from the pinned archive`)}; }`,
    ],
    apply: [
      `mkdir -p ${CACHE}`,
      `{ { [ -f ${cached} ] && hl_sha256 ${cached} ${args.sha256} 2>/dev/null; } || {\n  ${fetchTo(cached, { ...args, mode: "0644" }).join(" &&\n  ")}; }; }`,
      `rm -f ${part}`,
      `{ tar -xzOf ${cached} ${quote(args.member)} > ${part} || { rm -f ${part}; false; }; }`,
      `chmod 0755 ${part}`,
      `printf '%s %s' ${args.sha256} ${digest(part)} > ${origin}`,
      `mv -f ${part} ${path}`,
    ],
  };
}

import * as crypto from "node:crypto";
import { quote } from "../quote";
import { type Operation, secretVariable } from "../role";

export interface Ownership {
  /** Octal, as `chmod` takes it: `0644`. */
  mode: string;
  /** `user:group`. Default `root:root`. */
  owner?: string;
}

/** `stat` prints modes without the leading zero. */
const statOf = ({ mode, owner = "root:root" }: Ownership): string => `${mode.replace(/^0+(?=\d)/, "")} ${owner}`;

const ownershipCheck = (path: string, ownership: Ownership): string => `[ "$(stat -c '%a %U:%G' ${quote(path)})" = ${quote(statOf(ownership))} ]`;

const ownershipApply = (path: string, { mode, owner = "root:root" }: Ownership): string[] => [
  `chmod ${quote(mode)} ${quote(path)}`,
  `chown ${quote(owner)} ${quote(path)}`,
];

export function directory(path: string, ownership: Ownership): Operation {
  return {
    name: `directory ${path}`,
    check: [`[ -d ${quote(path)} ]`, ownershipCheck(path, ownership)],
    apply: [`mkdir -p ${quote(path)}`, ...ownershipApply(path, ownership)],
  };
}

/** Name of a file while it is written: in the same folder, so that the last step is one rename. */
const partOf = (path: string): string => `${path}.homelab-part`;

export interface FileArgs extends Ownership {
  path: string;
  /** The text, or the name of one of the role's secrets. */
  content: string | { secret: string };
}

/** A file with exactly this content. It appears whole: nobody reads half of it, and a cut run leaves the old one. */
export function file(args: FileArgs): Operation {
  const path = quote(args.path);
  const part = partOf(args.path);
  const text = typeof args.content === "string" ? quote(args.content) : `"$${secretVariable(args.content.secret)}"`;
  const same =
    typeof args.content === "string"
      ? `hl_sha256 ${path} ${crypto.createHash("sha256").update(args.content).digest("hex")}`
      : `[ "$(sha256sum ${path} | cut -d ' ' -f 1)" = "$(printf '%s' ${text} | sha256sum | cut -d ' ' -f 1)" ]`;
  return {
    name: `file ${args.path}`,
    check: [`[ -f ${path} ]`, ownershipCheck(args.path, args), same],
    // Empty at first, so that the content is never there with open permissions. `cat` says why it cannot write; dash's own printf does not.
    apply: [
      `rm -f ${quote(part)}`,
      `: > ${quote(part)}`,
      ...ownershipApply(part, args),
      `printf '%s' ${text} | cat > ${quote(part)}`,
      `mv -f ${quote(part)} ${path}`,
    ],
  };
}

export interface DownloadArgs extends Ownership {
  url: string;
  sha256: string;
  path: string;
}

/** A file from the network, of which the bytes are known beforehand. */
export function download(args: DownloadArgs): Operation {
  if (!args.url.startsWith("https://") || !/^[0-9a-f]{64}$/.test(args.sha256)) throw new Error(`download of ${args.url}: needs https and a SHA-256`);
  const path = quote(args.path);
  const part = quote(partOf(args.path));
  return {
    name: `download ${args.path}`,
    check: [`[ -f ${path} ]`, ownershipCheck(args.path, args), `hl_sha256 ${path} ${args.sha256}`],
    apply: [
      `rm -f ${part}`,
      `curl -fsSL --retry 3 --connect-timeout 20 -o ${part} ${quote(args.url)}`,
      `{ hl_sha256 ${part} ${args.sha256} || { rm -f ${part}; false; }; }`,
      ...ownershipApply(partOf(args.path), args),
      `mv -f ${part} ${path}`,
    ],
  };
}

/** The files of a test host that differ from the Debian that all hosts share. */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import type { RealHost } from "./real-hosts";

/** Files that running programs write: times, caches, process ids. */
const VOLATILE = [
  /^\/(run|tmp|proc|sys|dev|var\/(log|cache|tmp|lib\/(apt|systemd|dbus|private)))(\/|$)/,
  // Files that cloud-init would write, different on each host.
  /^\/etc\/(hostname|hosts|machine-id|apt|resolv\.conf|\.updated)(\/|$)/,
  /^\/etc\/ssh(\/|$)/,
  /^\/var\/\.updated$/,
  /^\/home\/suporte\/\.(ssh|cache|ansible)(\/|$)/,
  // Backups and locks of the programs that edit accounts, and dpkg's copies of its own lists.
  /^\/etc\/(passwd|group|shadow|gshadow|subuid|subgid)-$/,
  /^\/var\/lib\/dpkg\/((status|available|diversions|statoverride|alternatives)-old|lock.*|triggers\/Lock)$/,
];

export interface FileState {
  /** `file`, `directory`, `link` or `removed`. */
  kind: string;
  mode: string;
  owner: string;
  /** SHA-256 of a file's bytes, target of a link. */
  content: string;
}

/** The changed files of a host by path. @param ignore more paths to leave out of the comparison */
export function changedFiles(host: RealHost, ignore: readonly RegExp[] = []): Record<string, FileState> {
  const found: Record<string, FileState> = {};
  const visit = (folder: string) => {
    for (const entry of fs.readdirSync(path.join(host.changes, folder), { withFileTypes: true })) {
      const name = path.join(folder, entry.name);
      if ([...VOLATILE, ...ignore].some((pattern) => pattern.test(name))) continue;
      const file = path.join(host.changes, name);
      const stat = fs.lstatSync(file);
      const state = { mode: (stat.mode & 0o7777).toString(8), owner: `${stat.uid}:${stat.gid}` };
      // overlayfs marks what was removed with a device of number 0.
      if (stat.isCharacterDevice()) found[name] = { kind: "removed", mode: "", owner: "", content: "" };
      else if (stat.isSymbolicLink()) found[name] = { kind: "link", ...state, content: fs.readlinkSync(file) };
      else if (stat.isFile()) found[name] = { kind: "file", ...state, content: createHash("sha256").update(fs.readFileSync(file)).digest("hex") };
      else if (stat.isDirectory()) {
        found[name] = { kind: "directory", ...state, content: "" };
        visit(name);
      }
    }
  };
  visit("/");
  return found;
}

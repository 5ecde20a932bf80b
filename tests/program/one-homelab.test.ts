/**
 * What belongs to one homelab is in site/, in its secrets and settings, and nowhere else in the product. The tests' homelab has the names
 * of the homelab that the product was first made for, so these names are searched for.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { VM_DUTIES } from "../../stacks/define/stacks";
import { loadHomelab } from "../support/homelab";

const ROOT = path.join(__dirname, "..", "..");
const PRODUCT = [
  "common",
  "ansible-replacements",
  "secrets",
  "components",
  "stacks",
  "engine",
  "providers",
  "lab",
  "scaffold",
  "orchestrator",
  "pipelines",
  "policy",
  "build",
  "bench",
];
/** Files that are not searched: tests and their data, and the secrets. */
const NOT_PRODUCT = /\.test\.ts$|\/(fixtures|cases)\/|^secrets\/[^/]+\/.*\.yaml$|\.agekey$|\.md$/;

const { site, proxmox, vms } = loadHomelab();

/** The common beginning of the network's addresses: `192.168.1` for 192.168.1.0/24. */
const network = site.subnet.split(".").slice(0, 3).join(".");
const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
/** Names of nodes and VMs. A VM with the name of its duty, such as `haproxy`, is left out: it cannot be told from the program of that name. */
const names = [...proxmox.nodes.map(({ name }) => name), ...vms.keys()].filter((name) => !(VM_DUTIES as readonly string[]).includes(name));
const trace = new RegExp(`${escaped(site.domain)}|\\b${escaped(network)}\\.\\d|\\b(${names.map(escaped).join("|")})\\b`);

function filesOf(folder: string): string[] {
  return fs.readdirSync(path.join(ROOT, folder), { withFileTypes: true, recursive: true }).flatMap((entry) => {
    const file = path.relative(ROOT, path.join(entry.parentPath, entry.name)).split(path.sep).join("/");
    return entry.isFile() && !NOT_PRODUCT.test(file) ? [file] : [];
  });
}

test.each(PRODUCT)("%s/ names no domain, address, node or VM of the homelab", (folder) => {
  const found = filesOf(folder).flatMap((file) =>
    fs
      .readFileSync(path.join(ROOT, file), "utf8")
      .split("\n")
      .flatMap((line, index) => (trace.test(line) ? [`${file}:${index + 1}: ${line.trim().slice(0, 120)}`] : [])),
  );
  expect(found).toEqual([]);
});

test("the pattern finds each kind", () => {
  for (const text of [`https://a.${site.domain}`, `${network}.5`, proxmox.nodes[0]?.name ?? "", names.at(-1) ?? ""]) expect(text).toMatch(trace);
});

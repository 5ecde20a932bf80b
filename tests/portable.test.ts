/**
 * Owners have Macs, so nothing that runs on their machine may need Linux. ALLOWED lists each use of something that only Linux has, with
 * what is done on other systems. Code for the homelab's Debian hosts (`ansible-replacements/`, `components/`, the scripts of the lab's
 * hosts) and comments are not searched.
 */
import * as fs from "node:fs";
import * as path from "node:path";

const root = path.join(__dirname, "..");
const FOLDERS = [
  "common",
  "engine",
  "providers",
  "orchestrator",
  "secrets",
  "stacks",
  "build",
  "pipelines",
  "scaffold",
  "site",
  "lab/core",
  "lab/gateway",
  "lab/kubernetes",
  "lab/vault",
  "lab/s3",
];

const LINUX = new RegExp(
  [
    // Paths, and abstract sockets.
    String.raw`(?<![\w}.])/(proc|sys|run)/[\w$*{]`,
    String.raw`/dev/(shm|fd/\d)`,
    "/etc/(machine-id|os-release|debian_version)",
    String.raw`"\\0[\w/]`,
    // Options that only GNU's programs have.
    String.raw`\b(readlink|realpath) -[fem]\b`,
    String.raw`\bstat (-c|--format)`,
    String.raw`\bsed -(i|r)\b`,
    String.raw`\bdate (-d|-I|--date)`,
    String.raw`\bxargs -[rd]\b`,
    String.raw`\bgrep -\w*P`,
    String.raw`\bsort -V\b`,
    String.raw`\bbase64 -w`,
    String.raw`\bcp (-\w*[aT]|--reflink)`,
    String.raw`\b(ps|du|head|tail|mktemp|mkdir|ln) --[a-z]`,
    // Programs that a Mac does not have.
    String.raw`["'\`\s(](setsid|prlimit|systemctl|systemd-run|nproc|inotifywait|flock|ionice|taskset|unshare|nsenter|runuser|useradd|apt-get|dpkg|ip (link|addr|netns)|timeout \d)\b`,
    // Flags and signals of Node that not every system has.
    String.raw`\bO_(TMPFILE|DIRECT|NOATIME)\b`,
    String.raw`\bSIG(STKFLT|PWR|POLL)\b`,
  ].join("|"),
  "g",
);

const ALLOWED: Readonly<Record<string, { uses: string[]; elsewhere: string }>> = {
  "common/process-identity.ts": {
    uses: ["/proc/s", "/etc/machine-id", "/proc/$", "/proc/1"],
    elsewhere: "`ps` and `sysctl` on macOS; on another system a process is taken for a living one",
  },
  "secrets/private-folder.ts": { uses: ["/dev/shm"], elsewhere: "the temporary folder, which macOS gives to each user alone (docs/secrets.md)" },
  "build/real-parts/builders.cjs": { uses: ["apt-get"], elsewhere: "refused by name: a part of a Debian package needs root on Linux" },
  "build/real-parts/cache.cjs": { uses: ["apt-get"], elsewhere: "text: how somebody gets such a part by hand" },
};

/** The text without comments. A `//` within a line is kept, since it may be part of an address. */
const codeOf = (text: string): string => text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
const usesOf = (text: string): string[] => [...new Set([...codeOf(text).matchAll(LINUX)].map(([use]) => use.replace(/^["'`]/, "").trim()))];

function* sources(folder: string): Generator<string> {
  for (const entry of fs.readdirSync(path.join(root, folder), { withFileTypes: true })) {
    const name = `${folder}/${entry.name}`;
    if (entry.isDirectory()) yield* sources(name);
    else if (/\.(ts|cjs|sh)$/.test(name) && !name.endsWith(".test.ts")) yield name;
  }
}

test("what only Linux has is used nowhere, or is listed with what is done on other systems", () => {
  const found = [...FOLDERS.flatMap((folder) => [...sources(folder)]), "Makefile", "engine/bin/pulumi", "orchestrator/bin/homelab"]
    .map((file): [string, string[]] => [file, usesOf(fs.readFileSync(path.join(root, file), "utf8"))])
    .filter(([, uses]) => uses.length > 0);
  expect(Object.fromEntries(found)).toEqual(Object.fromEntries(Object.entries(ALLOWED).map(([file, { uses }]) => [file, uses])));
});

test.each([
  'fs.readFileSync("/proc/self/status")',
  "fs.readdirSync(`/proc/$" + "{pid}/fd`)",
  'fs.existsSync("/dev/shm")',
  'spawn("sh", ["-c", "readlink -f x"])',
  'execSync("sed -i s/a/b/ file")',
  'execSync("stat -c %a file")',
  'spawn("setsid", ["x"])',
  'spawn("flock", ["x"])',
  'run("timeout 5 x")',
  'net.connect("\\0homelab")',
  'execSync("cp -a x y")',
])("the search sees %p", (code) => expect(usesOf(code)).toHaveLength(1));

test.each(["// on Linux /proc/self tells it", "/* /dev/shm */", 'fetch("https://x.test/proc")', "const process = 1;"])("and not %p", (code) =>
  expect(usesOf(code)).toEqual([]),
);

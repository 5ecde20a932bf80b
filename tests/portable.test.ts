/**
 * Owners have Macs, so nothing that runs on their machine may need Linux, or a newer Bash than Apple's 3.2: neither what they call, nor
 * the tests that need only Node, nor commands that the documentation tells them. ALLOWED lists each use of something that only Linux has,
 * with what is done on other systems. Code for the homelab's Debian hosts and containers (`ansible-replacements/`, `components/`, `images/`,
 * the lab's hosts and what tests tell those), tests with real programs and comments are not searched.
 */
import * as fs from "node:fs";
import * as path from "node:path";

const root = path.join(__dirname, "..");
const FOLDERS = [
  ".ci",
  "bench",
  "docs",
  "policy",
  "tests",
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
  "lab",
];
/** For hosts and containers, for real programs on Linux, or data. */
const ELSEWHERE =
  /^lab\/(hosts|controllers)\/|\/fixtures\/|\.real\.test\.ts$|^tests\/(real|roles|support\/(real|language-host)|contract\/hosts)|^bench\/hosts|^lab\/lab\.test\.ts$|^tests\/rehearsal\/(other-settings|rebuild)|^tests\/portable\.test\.ts$/;

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
    String.raw`\bsort -\w*z`,
    String.raw`\bfind [^|;]*-(printf|regextype)`,
    String.raw`\bhead -c -`,
    String.raw`\bdate \+\S*%N`,
    String.raw`\btimeout --`,
    // Bash 4.
    String.raw`\b(mapfile|readarray) `,
    String.raw`\b(declare|local) -A`,
    String.raw`\$\{\w+(,,|\^\^)`,
    // Programs that a Mac does not have, or not there.
    String.raw`/bin/(true|false)\b`,
    String.raw`["'\`\s(](stdbuf|shred|numfmt|sha256sum|md5sum|chattr|losetup|pidof|getent) `,
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
  ".ci/as-plain-user.sh": { uses: ["runuser"], elsewhere: "asked for only where root runs it: a Mac's owner is a plain user already" },
  "bench/children-cpu.cjs": { uses: ["/proc/s"], elsewhere: "the processor time is left out by name (tests/build/bench.test.ts)" },
  "bench/measure-child.mjs": { uses: ["/proc/$"], elsewhere: "processor time and memory are left out by name" },
  "common/owner-file.test.ts": { uses: ["unshare", "/proc/s"], elsewhere: "skipped: there are no such containers" },
  "stacks/run-roles.test.ts": { uses: ["apt-get"], elsewhere: "a role's operation on a host" },
  "tests/backends/locks.test.ts": { uses: ["/etc/machine-id", "/proc/s"], elsewhere: "skipped: there are no such containers" },
  "tests/build/as-plain-user.test.ts": { uses: ["runuser"], elsewhere: "skipped where root runs it; a Mac's owner is a plain user already" },
  "tests/lifecycle/fuzz-reader.ts": { uses: ["/dev/shm"], elsewhere: "the temporary folder" },
  "tests/orchestrator/killed-and-used.test.ts": { uses: ["/proc/s"], elsewhere: "skipped: the processes of a run are found by it" },
  "tests/orchestrator/states.test.ts": { uses: ["/proc/s"], elsewhere: "skipped: the processes of a run are found by it" },
  "tests/rehearsal/resume.test.ts": { uses: ["/proc/s"], elsewhere: "skipped: the processes of a run are found by it" },
  "tests/rehearsal/small.test.ts": { uses: ["/proc/s"], elsewhere: "skipped: the processes of a run are found by it" },
  "tests/support/demo-servers.ts": { uses: ["/proc/$"], elsewhere: "only tests with real programs use it" },
  "tests/support/ended.ts": { uses: ["/proc/$"], elsewhere: "whether the process can be signalled: macOS leaves no zombie of it" },
  "tests/support/rehearsal.ts": { uses: ["/proc/$"], elsewhere: "those that kill a run's processes are skipped" },
  "secrets/private-folder.ts": { uses: ["/dev/shm"], elsewhere: "the temporary folder, which macOS gives to each user alone (docs/secrets.md)" },
  "build/real-parts/builders.cjs": { uses: ["apt-get"], elsewhere: "refused by name: a part of a Debian package needs root on Linux" },
  "build/real-parts/cache.cjs": { uses: ["apt-get"], elsewhere: "text: how somebody gets such a part by hand" },
};

/** The text without comments, also those of a shell. A `//` within a line is kept, since it may be part of an address. */
const codeOf = (text: string): string => text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*(\/\/|#(?!!)).*$/gm, "");
const usesOf = (text: string): string[] => [...new Set([...codeOf(text).matchAll(LINUX)].map(([use]) => use.replace(/^["'`(]/, "").trim()))];
/** Of a page, what somebody is told to type. */
const typedIn = (page: string): string =>
  page
    .split("\n")
    .filter((line) => /^ {4}/.test(line))
    .join("\n");

function* sources(folder: string): Generator<string> {
  for (const entry of fs.readdirSync(path.join(root, folder), { withFileTypes: true })) {
    const name = `${folder}/${entry.name}`;
    if (entry.isDirectory()) yield* sources(name);
    else if ((/\.(ts|cjs|mjs|sh|md)$/.test(name) || folder === ".ci") && !ELSEWHERE.test(name)) yield name;
  }
}

test("what only Linux has is used nowhere, or is listed with what is done on other systems", () => {
  const files = ["Makefile", "README.md", "CONTRIBUTING.md", "engine/bin/pulumi", "engine/bin/serve", "orchestrator/bin/homelab"];
  const found = [...FOLDERS.flatMap((folder) => [...sources(folder)]), ...files]
    .map((file): [string, string] => [file, fs.readFileSync(path.join(root, file), "utf8")])
    .map(([file, text]): [string, string[]] => [file, usesOf(file.endsWith(".md") ? typedIn(text) : text)])
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
  "timeout --kill-after=20 60 make",
  "find . -print0 | sort -z",
  "mapfile -t lines <file",
  'spawn("/bin/true")',
  "echo x | sha256sum - | cut -c1-8",
])("the search sees %p", (code) => expect(usesOf(code)).toHaveLength(1));

test.each(["// on Linux /proc/self tells it", "/* /dev/shm */", 'fetch("https://x.test/proc")', "const process = 1;"])("and not %p", (code) =>
  expect(usesOf(code)).toEqual([]),
);

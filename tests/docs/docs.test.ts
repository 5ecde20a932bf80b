/** What the pages name exists: files, links, commands with their flags, targets of make, scripts of npm, variables, codes of errors. */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { allCommands } from "../../orchestrator/cli/catalogue";
import { leafOf } from "../../orchestrator/cli/command";
import { unknownParts } from "./command-lines";

const ROOT = path.join(__dirname, "../..");
const COMMANDS = allCommands();
const read = (file: string): string => fs.readFileSync(path.join(ROOT, file), "utf8");
/** A page without its section about the system that this one replaced, whose commands do not exist here. */
const pageOf = (file: string): string =>
  read(file)
    .replace(/^## From the original\n[\s\S]*?(?=^## |(?![\s\S]))/m, "")
    .replaceAll("<br>", " ");
const listed = execFileSync("git", ["ls-files", "-co", "--exclude-standard"], { cwd: ROOT, encoding: "utf8" }).split("\n").filter(Boolean);
const files = listed.filter((file) => fs.existsSync(path.join(ROOT, file)));
const known = new Set(files.flatMap((file) => file.split("/").map((_, at, parts) => parts.slice(0, at + 1).join("/"))));
const sources = files.filter((file) => /\.(ts|cjs|mjs|sh|yaml|yml)$/.test(file) || /^(Makefile|\.ci\/|orchestrator\/bin|engine\/bin)/.test(file));
const sourceText = sources
  .filter((file) => !file.startsWith("tests/docs/"))
  .map(read)
  .join("\n");

/** The pages that people write. `docs/cli.md` is generated from the commands, and `platform.md` from the modules. */
const PAGES = files.filter(
  (file) => file.endsWith(".md") && !/fixtures|recorded|cases|^docs\/(cli|platform)\.md$|^(site|tests\/homelab\/site)\/platform\.md$/.test(file),
);

/** The code of a page: what is in backticks, and the lines of code blocks. */
function codeOf(text: string): string[] {
  const blocks = [...text.matchAll(/^```\w*\n([\s\S]*?)^```/gm)].flatMap(([, block = ""]) => block.split("\n"));
  const spans = [...text.replace(/^```[\s\S]*?^```/gm, "").matchAll(/`([^`\n]+)`/g)].map(([, span = ""]) => span);
  return [...spans, ...blocks.filter((line) => line.trim() !== "")];
}
const code = PAGES.flatMap((page) => codeOf(pageOf(page)).map((text): [page: string, text: string] => [page, text]));
const wrong = (find: (text: string, page: string) => string[]): string[] => code.flatMap(([page, text]) => find(text, page).map((what) => `${page}: ${what}`));

/** Files that commands write, and files that only some homelabs have. */
const MADE = /^(bin|\.lab|\.homelab|node_modules|secrets\/(vault|common|dev|<stack>)|site\/(tests|platform\.md|authority\.pem|apps\/.*\.test\.ts))(\/|$)/;
/** Pages of the product name files of the tests' homelab, since an adopter's own `site/` has others. */
const inTests = (name: string): string => (/^(site\/|Pulumi\.\w)/.test(name) ? `tests/homelab/${name}` : name);
const TOP = new Set([...known].filter((name) => !name.includes("/") && !name.includes(".")));
/** A pattern of names as a regular expression: `*` and `<name>` stand for a part. */
const asPattern = (name: string): RegExp =>
  new RegExp(
    `^${name
      .replace(/<[^>]+>|\*\*?|…/g, "\u0000")
      .replace(/[.+?^$()|[\]\\]/g, "\\$&")
      .replace(/\{([^}]*)\}/g, (_, list: string) => `(${list.replaceAll(",", "|")})`)
      .replaceAll("\u0000", "[^\\s]*")}(/|$)`,
  );

function missingFiles(text: string, page: string): string[] {
  const names = text.match(/(?<![\w/.:~@$-])[\w.-]+\/[\w./<>*{},…-]*[\w>*}/]/g) ?? [];
  return names.filter((name) => {
    const [top = ""] = name.split("/");
    if (!TOP.has(top) || MADE.test(name)) return false;
    const bare = inTests(name.replace(/\/$/, ""));
    const here = path.posix.join(path.posix.dirname(page), bare);
    if ([bare, `${bare}.ts`, here, `${bare}.test.ts`].some((each) => known.has(each))) return false;
    return ![...known].some((each) => asPattern(bare).test(each));
  });
}

test("files and folders", () => {
  expect(wrong(missingFiles)).toEqual([]);
});

const anchorOf = (title: string): string =>
  title
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");

test("links and their anchors", () => {
  const bad = PAGES.concat("docs/platform.md", "docs/cli.md").flatMap((page) =>
    [...read(page).matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, target = ""]) => {
      if (/^[a-z]+:/.test(target)) return [];
      const [file = "", anchor] = target.split("#");
      const at = file === "" ? page : path.posix.join(path.posix.dirname(page), file);
      // Such a file need not exist in an adopter's checkout.
      if (MADE.test(at)) return [];
      if (!known.has(at.replace(/\/$/, ""))) return [`${page}: ${target}`];
      if (anchor === undefined) return [];
      const titles = [...read(at).matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) => anchorOf(title));
      return titles.includes(anchor) ? [] : [`${page}: ${target}`];
    }),
  );
  expect(bad).toEqual([]);
});

test.each([
  ["homelab upp", ["homelab upp"]],
  ["npx homelab up --lba dev", ["homelab up --lba dev: --lba"]],
  ["homelab state unlok dev", ["homelab state unlok dev"]],
  ["homelab up --lab && homelab secrets set a b --lab", ["homelab secrets set a b --lab: --lab"]],
  ["homelab ssh k8s-dev -- ls --all", []],
])("%s is held against the commands", (text, unknown) => {
  expect(unknownParts(text, COMMANDS)).toEqual(unknown);
});

test("commands of homelab, with their verbs and flags", () => {
  expect(wrong((text) => unknownParts(text, COMMANDS))).toEqual([]);
});

test("each command and each verb of it is shown in use: by an example in its help, or on a page", () => {
  const shown = code.map(([, text]) => text).join("\n");
  const leaves = COMMANDS.filter(({ hidden }) => hidden !== true).flatMap((command) =>
    (command.verbs === undefined ? [""] : Object.keys(command.verbs)).map((verb) => leafOf(command, verb)),
  );
  const unseen = leaves.filter(({ path: line, examples = [] }) => examples.length === 0 && !new RegExp(`homelab ${line}(?![\\w-])`).test(shown));
  expect(unseen.map(({ path: line }) => line)).toEqual([]);
  const misleading = leaves.flatMap(({ examples = [] }) => examples.flatMap((example) => unknownParts(example, COMMANDS)));
  expect(misleading).toEqual([]);
});

/** The text without comments: these may name a command that does not exist yet. */
const withoutComments = (text: string): string => text.replace(/^\s*(\/\*\*|\*|\/\/).*$/gm, "");

test("commands that the program prints", () => {
  const bad = sources
    .filter((file) => /\.(ts|cjs)$/.test(file) && !/\.test\.ts$|^tests\//.test(file))
    .flatMap((file) =>
      [...withoutComments(read(file)).matchAll(/\\?`((?:npx )?homelab [^`\n\\$]+)\\?`/g)].flatMap(([, text = ""]) =>
        unknownParts(text, COMMANDS).map((what) => `${file}: ${what}`),
      ),
    );
  expect(bad).toEqual([]);
});

test("targets of make and scripts of npm", () => {
  const targets = new Set([...read("Makefile").matchAll(/^([\w./-]+):(?!=)/gm)].map(([, name]) => name));
  const scripts = Object.keys((JSON.parse(read("package.json")) as { scripts: object }).scripts);
  const bad = wrong((text) => [
    ...[...text.matchAll(/^(?:.*(?:\s|&& ))?make ([a-z][\w./-]*)/g)].filter(([, name = ""]) => !targets.has(name)).map(([all]) => all),
    ...[...text.matchAll(/npm run (?:--\S+ )*([\w:-]+)/g)].filter(([, name = ""]) => !scripts.includes(name)).map(([all]) => all),
  ]);
  expect(bad).toEqual([]);
});

test("variables and codes of errors", () => {
  const bad = wrong((text) =>
    (text.match(/\b(?:HOMELAB|PULUMI|VAULT|E)_[A-Z0-9_]*[A-Z0-9]\b/g) ?? []).filter((name) => !new RegExp(`\\b${name}\\b`).test(sourceText)),
  );
  expect(bad).toEqual([]);
});

test("paths of tests that jest is given", () => {
  const bad = wrong((text) =>
    [...text.matchAll(/npx (?:--no-install )?jest((?: [\w./<>-]+)+)/g)].flatMap(([, words = ""]) =>
      words
        .trim()
        .split(" ")
        .filter((word) => !word.startsWith("-") && !word.startsWith("<"))
        .filter((word) => !files.some((file) => /\.(test|real\.test)\.ts$/.test(file) && file.includes(word))),
    ),
  );
  expect(bad).toEqual([]);
});

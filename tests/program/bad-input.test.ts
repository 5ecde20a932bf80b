/**
 * Mistakes in a homelab's files are reported before anything is registered, with the environment and the module. `bad-input/` has a file
 * for each case. `change` is merged over the tests' homelab (`stacks`, `site`) and its settings, and null removes a key. `says` has the
 * lines of the error, in which `<line>` stands for the place in the file, and `…` for any text. With
 * `HOMELAB_TEST_RECORD_BAD_INPUT=1`, a file without `says` gets the present error.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { parse, stringify } from "yaml";
import { HomelabError } from "../../common/errors";
import { loadEstate } from "../../stacks/load/estate";
import { parseStackConfigFile } from "../../stacks/load/settings";
import type { SiteFiles } from "../../stacks/load/site-files";
import { planEstate } from "../../stacks/plan/plan";
import { HOMELAB, HOMELAB_FILES } from "../support/homelab";
import { homelabRuns } from "../support/stack-run";

const { settingsOf } = homelabRuns();

const FOLDER = path.join(__dirname, "bad-input");
const RECORD = process.env["HOMELAB_TEST_RECORD_BAD_INPUT"] === "1";

interface Case {
  readonly change: { readonly site?: object; readonly stacks?: object; readonly settings?: Readonly<Record<string, object>> };
  readonly says?: readonly string[];
}

/** A merge patch by RFC 7396: maps are merged, null removes, everything else replaces. */
function merged(base: unknown, change: unknown): unknown {
  if (typeof change !== "object" || change === null || Array.isArray(change)) return change;
  const out: Record<string, unknown> = { ...(typeof base === "object" && base !== null && !Array.isArray(base) ? base : {}) };
  for (const [key, value] of Object.entries(change)) {
    if (value === null) delete out[key];
    else out[key] = merged(out[key], value);
  }
  return out;
}

function load({ site = {}, stacks = {}, settings = {} }: Case["change"]): void {
  const files = { ...HOMELAB_FILES, site: merged(HOMELAB_FILES.site, site), stacks: merged(HOMELAB_FILES.stacks, stacks) } as SiteFiles;
  const estate = loadEstate(files, HOMELAB);
  const changed = Object.entries(settings).map(([stack, own]) => {
    const whole = merged(parse(settingsOf(stack)), { config: own });
    return [stack, parseStackConfigFile(`Pulumi.${stack}.yaml`, stringify(whole))] as const;
  });
  planEstate({ ...estate, settings: new Map([...estate.settings, ...changed]) });
}

/** The lines of the error, with `<line>` in place of line numbers. */
function saidOf(change: Case["change"]): string[] {
  try {
    load(change);
  } catch (thrown) {
    if (!(thrown instanceof HomelabError)) throw thrown;
    return thrown.message.split("\n").map((line) => line.trim().replace(/(\.ts|\.yaml):\d+:/, "$1:<line>:"));
  }
  return [];
}

/** A pattern for a whole line, in which `…` is any text. */
const patternOf = (line: string): RegExp =>
  new RegExp(
    `^${line
      .split("…")
      .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
      .join(".*")}$`,
  );

const names = fs.readdirSync(FOLDER).map((file) => file.replace(/\.yaml$/, ""));

test.each(names)("%s", (name) => {
  const file = path.join(FOLDER, `${name}.yaml`);
  const text = fs.readFileSync(file, "utf8");
  const { change, says }: Case = parse(text);
  const said = saidOf(change);
  if (RECORD && says === undefined) fs.appendFileSync(file, stringify({ says: said }, { lineWidth: 0 }));
  else expect(said).toEqual(says?.map((line) => expect.stringMatching(patternOf(line))));
  expect(said).not.toEqual([]);
});

test("texts that are larger than an object of Kubernetes are refused by their bytes, and texts that look like something else are none of these", () => {
  const shop = (config: object): string[] => {
    const probes = { ready: "/readyz", live: "/livez" };
    const resources = { cpu: "10m", memory: "10Mi", memoryLimit: "64Mi" };
    return saidOf({ stacks: { dev: { apps: { shop: { image: "docker.io/a/b:1", ports: [{ name: "http", port: 8080 }], probes, resources, config } } } } });
  };
  expect(shop({ A: "é".repeat(600_000) })).toEqual([expect.stringContaining("shop: config has 1200001 bytes, and one object holds 1048576")]);
  expect(shop({ A: "\ud800" })).toEqual([expect.stringContaining("shop: config has a value that is no text: A")]);
  expect(
    shop({ A: "no", B: "1e3", C: "~", D: "0x10", E: "x  ", F: "a\r\nb", G: "{{ .x }}", H: "", I: "ü 🎉", toString: "x", J: "x".repeat(1_000_000) }),
  ).toEqual([]);
});

test("there are at least 40 of them, and each names where it is wrong", () => {
  expect(names.length).toBeGreaterThanOrEqual(40);
  const unplaced = names.filter((name) => {
    const { change, says = [] }: Case = parse(fs.readFileSync(path.join(FOLDER, `${name}.yaml`), "utf8"));
    const stacks = Object.entries(change.stacks ?? {}) as [string, { platform?: object }][];
    const places = [
      ...stacks.flatMap(([stack, { platform = {} }]) => [stack, ...Object.keys(platform)]),
      ...Object.keys({ ...change.settings, ...change.site }),
    ];
    return !places.some((place) => says.join("\n").includes(place));
  });
  expect(unplaced).toEqual([]);
});

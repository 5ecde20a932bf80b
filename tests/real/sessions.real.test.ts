/** The cloud-init documents of sessions and of the golden image are valid by cloud-init's own schema, and their scripts by shellcheck. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { parse } from "yaml";
import { controlPlaneConfig, workerConfig } from "../../components/apps/sessions/cloud-config";
import { buildConfig, type GoldenImageOptions, goldenImageScript, testConfig } from "../../components/apps/sessions/golden-image";
import { REAPER_SCRIPT } from "../../components/apps/sessions/session-manifests";
import type { SessionSpec } from "../../components/apps/sessions/session-spec";
import { describeReal } from "../support/real-parts";
import { GOLDEN, SESSION } from "../support/session-options";

/** Values with characters that are special to a shell and to YAML. */
const QUOTED: SessionSpec = { ...SESSION, namespace: "session-a1", sshPublicKey: `${SESSION.sshPublicKey}: it's the learner's` };
const QUERIED: GoldenImageOptions = { ...GOLDEN, helm: { ...GOLDEN.helm, url: `${GOLDEN.helm.url}?a=b&c=d` } };
const DOCUMENTS = {
  "control plane": controlPlaneConfig(QUOTED),
  worker: workerConfig(QUOTED),
  "golden image, as it is built": buildConfig(QUERIED),
  "golden image, as it is tested": testConfig(QUERIED),
};

describeReal(["cloud-init"], "cloud-init's schema", (pathOf) => {
  let folder: string;
  beforeAll(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "cloud-init-"));
  });
  afterAll(() => fs.rmSync(folder, { recursive: true }));

  function judge(text: string): string {
    const file = path.join(folder, "user-data");
    fs.writeFileSync(file, text);
    const { status, stdout, stderr } = spawnSync(pathOf("cloud-init"), ["schema", "--config-file", file], { encoding: "utf8" });
    return `${status} ${stdout}${stderr}`;
  }

  test.each(Object.entries(DOCUMENTS))("the document of the %s is valid", (_, text) => {
    expect(judge(text)).toMatch(/^0 Valid cloud-config: /);
  });

  test("a wrong document is refused", () => {
    const wrong = DOCUMENTS.worker.replace("ssh_pwauth: false", "ssh_pwauth: [no]");
    expect(judge(wrong)).toMatch(/^1 [\s\S]*ssh_pwauth/);
  });
});

interface Parsed {
  readonly runcmd: readonly (readonly [string, string, string])[];
  readonly write_files?: readonly { readonly path: string; readonly content: string }[];
}
const scriptsOf = ([name, text]: readonly [string, string]): [string, string][] => {
  const { runcmd, write_files = [] } = parse(text) as Parsed;
  const files = write_files.filter(({ path: file }) => file.endsWith(".sh")).map(({ path: file, content }): [string, string] => [`${name}: ${file}`, content]);
  return [...runcmd.map(([, , script], index): [string, string] => [`${name}: command ${index + 1}`, script]), ...files];
};
const SCRIPTS: [string, string][] = [
  ...Object.entries(DOCUMENTS).flatMap(scriptsOf),
  ["reaper", REAPER_SCRIPT],
  ["the golden image's Job", goldenImageScript(QUERIED)],
];
/** Conditions that are lists of commands, on purpose (see shellcheck.real.test.ts). */
const EXCLUDED = "SC2015,SC2319";

describeReal(["shellcheck"], "shellcheck", (pathOf) => {
  test.each(SCRIPTS)("the script of %s is clean", (_, script) => {
    const { stdout, status } = spawnSync(pathOf("shellcheck"), ["--shell=dash", `--exclude=${EXCLUDED}`, "-"], { input: script, encoding: "utf8" });
    expect([status, stdout]).toEqual([0, ""]);
  });
});

/** What the machines of sessions and of the golden image are told: by cloud-init's own schema, and every script of theirs by shellcheck. */
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

const SESSION: SessionSpec = {
  id: "a1",
  namespace: "session-a1",
  kubernetesVersion: "1.33.0",
  goldenImage: { namespace: "vm-templates", name: "golden-1-33-0" },
  storageClass: "longhorn",
  cpuCores: 2,
  memory: "2Gi",
  diskSize: "10Gi",
  podCidr: "10.0.0.0/16",
  sshPublicKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEH/iMrb1TsN580BUQcjVEP1QhqQxgnVfG1FHrVLcOgz it's the learner's",
  joinToken: "abcdef.0123456789abcdef",
  expires: "2026-11-30T12:00:00Z",
};
const GOLDEN: GoldenImageOptions = {
  kubernetesVersion: "1.33.0",
  base: { url: "https://cloud.example.org/debian-12.qcow2", sha512: "a".repeat(128) },
  helm: { url: "https://get.example.org/helm.tar.gz?a=b&c=d", sha256: "b".repeat(64) },
  namespace: "vm-templates",
  storageClass: "longhorn",
  diskSize: "10Gi",
};
const DOCUMENTS = {
  "control plane": controlPlaneConfig(SESSION),
  worker: workerConfig(SESSION),
  "golden image, as it is built": buildConfig(GOLDEN),
  "golden image, as it is tested": testConfig(GOLDEN),
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

  test("it would say what is wrong", () => {
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
  ["the golden image's Job", goldenImageScript(GOLDEN)],
];
/** A role's conditions that are lists of commands (shellcheck.real.test.ts). */
const EXCLUDED = "SC2015,SC2319";

describeReal(["shellcheck"], "shellcheck", (pathOf) => {
  test.each(SCRIPTS)("the script of %s is clean", (_, script) => {
    const { stdout, status } = spawnSync(pathOf("shellcheck"), ["--shell=dash", `--exclude=${EXCLUDED}`, "-"], { input: script, encoding: "utf8" });
    expect([status, stdout]).toEqual([0, ""]);
  });
});

import { ownRuns } from "../../tests/support/stack-run";
import { parseStackConfig, parseStackConfigFile } from "./settings";

const { names, settingsOf } = ownRuns();
const failure = (text: string) => {
  try {
    parseStackConfigFile("Pulumi.dev.yaml", text);
  } catch (thrown) {
    return thrown;
  }
  return undefined;
};

test.each(names)("the settings of %s are valid", (stack) => {
  expect(() => parseStackConfigFile(`Pulumi.${stack}.yaml`, settingsOf(stack))).not.toThrow();
});

test("what is not set has its default", () => {
  expect(parseStackConfigFile("f", "config:\n  homelab:acmeEmail: a@b.pw\n")).toEqual({
    acmeEmail: "a@b.pw",
    k3sDisable: [],
    ingressClass: "traefik",
    protectVms: false,
    replaceVms: [],
    sharedSecrets: false,
    appReplicas: 1,
    images: {},
  });
});

test("settings as a running program has them, all text, give the same as those of the file", () => {
  const fromFile = parseStackConfigFile(
    "f",
    "config:\n  homelab:acmeEmail: a@b.pw\n  homelab:k3sDisable: [traefik, servicelb]\n  homelab:protectVms: true\n  homelab:appReplicas: 2\n",
  );
  const running = { "homelab:acmeEmail": "a@b.pw", "homelab:k3sDisable": '["traefik","servicelb"]', "homelab:protectVms": "true", "homelab:appReplicas": "2" };
  expect(parseStackConfig("f", running)).toEqual(fromFile);
  expect(fromFile.k3sDisable).toEqual(["traefik", "servicelb"]);
});

test("maps come in one order, whatever the order of the file", () => {
  const frontends = (text: string) =>
    Object.keys(parseStackConfigFile("f", `config:\n  homelab:acmeEmail: a@b.pw\n  homelab:haproxy: {frontends: ${text}}\n`).haproxy?.frontends ?? {});
  expect([frontends("{tools: 1, dev: 2}"), frontends("{dev: 2, tools: 1}")]).toEqual([
    ["dev", "tools"],
    ["dev", "tools"],
  ]);
});

test("settings of other packages are left to them", () => {
  expect(parseStackConfigFile("f", "config:\n  kubernetes:namespace: x\n  homelab:acmeEmail: a@b.pw\nencryptionsalt: v1:x\n").acmeEmail).toBe("a@b.pw");
});

test.each([
  [
    "a misspelt key",
    "config:\n  homelab:acmeMail: a@b.pw\n",
    "E_CONFIG_KEY",
    'Pulumi.dev.yaml: unknown key "homelab:acmeMail"',
    'did you mean "homelab:acmeEmail"?',
  ],
  ["a misspelt key of the file", "confg:\n  homelab:acmeEmail: a@b.pw\n", "E_CONFIG_KEY", 'Pulumi.dev.yaml: unknown key "confg"', 'did you mean "config"?'],
  ["a missing setting", "config: {}\n", "E_CONFIG_VALUE", "Pulumi.dev.yaml: homelab:acmeEmail: Invalid input: expected string, received undefined", undefined],
  ["a wrong address", "config:\n  homelab:acmeEmail: nobody\n", "E_CONFIG_VALUE", "Pulumi.dev.yaml: homelab:acmeEmail: Invalid email address", undefined],
  [
    "an image without a tag",
    "config:\n  homelab:acmeEmail: a@b.pw\n  homelab:appImage: registry.pw/app\n",
    "E_CONFIG_VALUE",
    /homelab:appImage: must be an image with its registry and a tag/,
    undefined,
  ],
  [
    "the tag latest",
    "config:\n  homelab:acmeEmail: a@b.pw\n  homelab:appImage: registry.pw/app:latest\n",
    "E_CONFIG_VALUE",
    /must not be the tag latest/,
    undefined,
  ],
  [
    "a VM that cannot be one",
    "config:\n  homelab:acmeEmail: a@b.pw\n  homelab:replaceVms: [K8S]\n",
    "E_CONFIG_VALUE",
    /homelab:replaceVms.0: must be the name of a VM, or \*/,
    undefined,
  ],
  [
    "an unknown key of a role's settings",
    "config:\n  homelab:acmeEmail: a@b.pw\n  homelab:dns: {upstream: [1.1.1.1], upstreams: [1.1.1.1]}\n",
    "E_CONFIG_VALUE",
    /homelab:dns: Unrecognized key: "upstream"/,
    undefined,
  ],
  [
    "a release without a digest",
    "config:\n  homelab:acmeEmail: a@b.pw\n  homelab:clusterApi: {clusterctl: {version: v1.9.5, sha256: latest}, providers: {core: a, bootstrap: a, controlPlane: a, infrastructure: a, ipam: a}}\n",
    "E_CONFIG_VALUE",
    /homelab:clusterApi.clusterctl.sha256: must be a SHA-256/,
    undefined,
  ],
  ["no YAML", "config: [\n", "E_CONFIG_FILE", "Pulumi.dev.yaml: not valid YAML", undefined],
  ["a list", "- a\n", "E_CONFIG_FILE", "Pulumi.dev.yaml: expected a map at the top", undefined],
  ["config as a list", "config: [a]\n", "E_CONFIG_FILE", "Pulumi.dev.yaml: config must be a map", undefined],
])("%s fails with file and key", (_, text, code, message, hint) => {
  const thrown = failure(text);
  expect(thrown).toMatchObject({ code, subject: "Pulumi.dev.yaml", ...(hint === undefined ? {} : { hint }) });
  expect(String((thrown as Error).message)).toMatch(message);
});

import { builtModule, graphOf, PLACE, releaseDefaults, releaseOf } from "../../../tests/support/module-build";
import { only, plain } from "../../../tests/support/pulumi-mocks";
import { externalDns } from "./module";
import { publicInstances } from "./public-names";
import { namePattern } from "./values";

test("it is its pinned chart, after the Secret that it starts with: it writes and deletes the cluster's own names in Pi-hole 6, and nothing else", async () => {
  const registered = await builtModule(externalDns);
  expect(graphOf(registered)).toEqual({
    "kubernetes:core/v1:Namespace external-dns-ns-namespace": "given-cluster",
    "kubernetes:core/v1:ServiceAccount external-dns-secrets-reader": "given-cluster after external-dns-ns-namespace",
    "kubernetes:external-secrets.io/v1:ClusterSecretStore external-dns-secrets-store":
      "given-cluster after external-dns-ns-namespace, external-dns-secrets-reader",
    "kubernetes:external-secrets.io/v1:ExternalSecret external-dns-secrets-external-dns-pihole":
      "given-cluster after external-dns-ns-namespace, external-dns-secrets-store",
    "kubernetes:helm.sh/v3:Release external-dns-release":
      "given-cluster after external-dns-ns-namespace, external-dns-secrets-external-dns-pihole, external-dns-secrets-reader, external-dns-secrets-store",
  });
  expect(releaseOf(registered)).toEqual({
    ...releaseDefaults,
    name: "external-dns",
    namespace: "external-dns",
    chart: "external-dns",
    version: "1.21.1",
    repositoryOpts: { repo: "https://kubernetes-sigs.github.io/external-dns" },
    skipCrds: true,
    values: {
      provider: { name: "pihole" },
      sources: ["ingress", "service"],
      registry: "noop",
      policy: "sync",
      interval: "1m",
      triggerLoopOnEvent: true,
      extraArgs: ["--pihole-server=http://10.0.0.3", "--pihole-api-version=6", "--regex-domain-filter=^(b\\.example\\.org|dev\\.a\\.example\\.org)$"],
      env: [{ name: "EXTERNAL_DNS_PIHOLE_PASSWORD", valueFrom: { secretKeyRef: { name: "external-dns-pihole", key: "EXTERNAL_DNS_PIHOLE_PASSWORD" } } }],
      resources: { requests: { cpu: "10m", memory: "32Mi" }, limits: { memory: "128Mi" } },
    },
  });
});

test("names whose route was taken away may be listed, so that their records go", async () => {
  const registered = await builtModule(externalDns, { options: { formerNames: ["old"] }, place: { hostNames: [] } });
  expect(JSON.stringify(releaseOf(registered)["values"])).toContain("--regex-domain-filter=^(old\\\\.example\\\\.org)$");
});

test("it looks at Istio's routes where they are, and only there", async () => {
  const registered = await builtModule(externalDns, { place: { routes: { kind: "istio", gateway: "istio-system/default-gateway" } } });
  expect(releaseOf(registered)["values"]).toMatchObject({ sources: ["ingress", "service", "istio-gateway", "istio-virtualservice"] });
});

test("it matches its names whole, and nothing where it has none", () => {
  const own = new RegExp(namePattern(["ascii.example.org"]));
  expect(["ascii.example.org", "dev.ascii.example.org", "asciiXexample.org", "ascii.example.org.net"].map((name) => own.test(name))).toEqual([
    true,
    false,
    false,
    false,
  ]);
  expect(new RegExp(namePattern([])).test("ascii.example.org")).toBe(false);
});

test("it takes its password from Vault: from the environment's own entry where there is one", async () => {
  const path = "cluster-secret-store/secrets/EXTERNAL_DNS_PIHOLE_PASSWORD";
  const keyOf = async (ownEntries: ReadonlyMap<string, string>) =>
    only(await builtModule(externalDns, { place: { ownEntries } }), "kubernetes:external-secrets.io/v1:ExternalSecret").inputs["spec"];
  expect(await keyOf(new Map())).toMatchObject({
    target: { name: "external-dns-pihole" },
    data: [{ secretKey: "EXTERNAL_DNS_PIHOLE_PASSWORD", remoteRef: { key: path, property: "PIHOLE_PASSWORD" } }],
  });
  expect(await keyOf(new Map([[path, `environments/dev/${path}`]]))).toMatchObject({ data: [{ remoteRef: { key: `environments/dev/${path}` } }] });
});

describe("names in the public zone", () => {
  const options = { public: { shop: {}, "dev.vpn": { private: true } } };

  test("none by itself: nothing of Cloudflare is there", async () => {
    expect((await builtModule(externalDns)).filter(({ name }) => name.includes("cloudflare"))).toEqual([]);
    expect(externalDns.parts(externalDns.options.parse({}), PLACE).flows.map(({ peer }) => peer)).not.toContain("https://api.cloudflare.com");
  });

  test("each kind of address has an instance with owner, domain and names of its own; private addresses are left out unless the name says so", async () => {
    const registered = await builtModule(externalDns, { options });
    const values = (release: string) => (plain(only(registered, "kubernetes:helm.sh/v3:Release", `${release}-release`).inputs) as { values: object }).values;
    // All of its values: what the chart sets by itself, such as its probes, stays.
    const shared = {
      provider: { name: "cloudflare" },
      sources: ["ingress", "service"],
      registry: "txt",
      txtPrefix: "owner.",
      policy: "sync",
      interval: "5m",
      triggerLoopOnEvent: true,
      env: [{ name: "CF_API_TOKEN", valueFrom: { secretKeyRef: { name: "external-dns-cloudflare", key: "api-token" } } }],
      resources: { requests: { cpu: "10m", memory: "32Mi" }, limits: { memory: "128Mi" } },
    };
    expect(values("external-dns-cloudflare")).toEqual({
      ...shared,
      txtOwnerId: "dev-public",
      extraArgs: [
        "--regex-domain-filter=^(example\\.org|shop\\.example\\.org)$",
        ...["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"].map((network) => `--exclude-target-net=${network}`),
      ],
    });
    expect(values("external-dns-cloudflare-private")).toEqual({
      ...shared,
      txtOwnerId: "dev-private",
      extraArgs: ["--regex-domain-filter=^(dev\\.vpn\\.example\\.org|example\\.org)$"],
    });
    expect(graphOf(registered)["kubernetes:helm.sh/v3:Release external-dns-cloudflare-release"]).toBe(
      "given-cluster after external-dns-cloudflare-secret, external-dns-ns-namespace",
    );
  });

  test("a name that left them has an instance of the same owner that finds no route, so that its record goes; no other one touches it", () => {
    const given = externalDns.options.parse({ ...options, formerPublic: { blog: {}, "old.vpn": { private: true } } });
    const instances = publicInstances(given, PLACE);
    expect([...instances.keys()]).toEqual([
      "external-dns-cloudflare",
      "external-dns-cloudflare-private",
      "external-dns-cloudflare-former",
      "external-dns-cloudflare-private-former",
    ]);
    expect(instances.get("external-dns-cloudflare-former")).toMatchObject({
      txtOwnerId: "dev-public",
      policy: "sync",
      sources: ["service"],
      extraArgs: ["--regex-domain-filter=^(blog\\.example\\.org|example\\.org)$", "--label-filter=homelab/former=none"],
    });
    expect(instances.get("external-dns-cloudflare-private-former")).toMatchObject({ txtOwnerId: "dev-private" });
    for (const release of ["external-dns-cloudflare", "external-dns-cloudflare-private"]) expect(instances.get(release)?.extraArgs[0]).not.toMatch(/blog|old/);
    expect(externalDns.options.safeParse({ ...options, formerPublic: { shop: {} } }).error?.issues).toEqual([
      expect.objectContaining({ path: ["formerPublic"], message: "shop is in public as well: its record would be written and deleted in turn" }),
    ]);
  });

  test("the filter lets the zone itself through, since Cloudflare's zones are looked for with it, and no name beside those", () => {
    for (const [, { extraArgs }] of publicInstances(externalDns.options.parse(options), PLACE)) {
      const [, pattern] = /^--regex-domain-filter=(.+)$/.exec(extraArgs[0] ?? "") ?? [];
      const filter = new RegExp(pattern ?? "^$");
      expect(filter.test(PLACE.domain)).toBe(true);
      expect(filter.test(`other.${PLACE.domain}`)).toBe(false);
    }
  });

  test("Cloudflare is reached, and its token needed, where there are such names", () => {
    const parts = externalDns.parts(externalDns.options.parse(options), PLACE);
    expect(parts.flows.map(({ peer }) => peer)).toContain("https://api.cloudflare.com");
    expect(parts.programSecrets).toEqual([{ path: "cloudflare", key: "api-token", why: "writes records of public names" }]);
    expect(parts.workloads).toHaveLength(3);
    expect(Object.keys(parts.charts)).toEqual(["external-dns-cloudflare", "external-dns-cloudflare-private"]);
  });
});

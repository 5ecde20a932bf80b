import { TELEPORT_VERSION } from "../../../ansible-replacements";
import { builtModule, graphOf, PLACE, releaseDefaults, releaseOf } from "../../../tests/support/module-build";
import { teleportAgent } from "./module";

const options = {
  apps: { vault: { namespace: "vault", service: "vault", port: 8200 }, shop: { namespace: "shop", service: "shop", port: 80, targetPort: 8080 } },
  databases: { "dev-postgres": { namespace: "postgres", service: "postgres-rw", port: 5432, protocol: "postgres" } },
};

test("it is the chart of Teleport's own version, with the token that comes from Vault", async () => {
  const registered = await builtModule(teleportAgent, { options });
  expect(Object.entries(graphOf(registered)).at(-1)).toEqual([
    "kubernetes:helm.sh/v3:Release teleport-agent-release",
    expect.stringContaining("teleport-agent-secrets-teleport-join-token"),
  ]);
  const labels = { env: "dev" };
  expect(releaseOf(registered)).toEqual({
    ...releaseDefaults,
    name: "teleport-agent",
    namespace: "teleport-agent",
    chart: "teleport-kube-agent",
    version: TELEPORT_VERSION,
    repositoryOpts: { repo: "https://charts.releases.teleport.dev" },
    values: {
      roles: "kube,app,db",
      proxyAddr: "teleport.example.org:3080",
      kubeClusterName: "dev",
      joinParams: { method: "token" },
      joinTokenSecret: { create: false, name: "teleport-join-token" },
      apps: [
        { name: "vault", uri: "http://vault.vault.svc:8200", labels },
        { name: "shop", uri: "http://shop.shop.svc:80", labels },
      ],
      databases: [{ name: "dev-postgres", protocol: "postgres", uri: "postgres-rw.postgres.svc:5432", labels }],
      podSecurityPolicy: { enabled: false },
      resources: { requests: { cpu: "50m", memory: "128Mi" }, limits: { memory: "512Mi" } },
    },
  });
});

test("it reaches what it shows at the port of its pods, and its proxy; without pages and databases it has the role of the API alone", () => {
  const parts = teleportAgent.parts(teleportAgent.options.parse(options), PLACE);
  expect(parts.flows.map(({ direction, peer, port }) => `${direction} ${peer} ${port}`)).toEqual([
    "out https://teleport.example.org 3080",
    "out https://teleport.example.org 3024",
    "out cluster 6443",
    "out vault 8200",
    "out shop 8080",
    "out postgres 5432",
  ]);
  const bare = teleportAgent.parts(teleportAgent.options.parse({ proxy: "access.example.org:443" }), PLACE);
  expect(bare.values["teleport-agent"]).toMatchObject({ roles: "kube", proxyAddr: "access.example.org:443", apps: [], databases: [] });
  expect(bare.flows[0]).toMatchObject({ peer: "https://access.example.org", port: 443 });
});

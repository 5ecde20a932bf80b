/** From the settings of a stack to the roles of the hosts that serve all stacks. */
import { compileRole } from "../../../ansible-replacements";
import { estate, rolesOf } from "../../../tests/support/planned-stack";

const SHA = "a".repeat(64);

test("without settings only the cluster's host has a role", () => {
  expect(Object.fromEntries([...rolesOf("tools")].map(([vm, roles]) => [vm, roles.map(({ role }) => role.name)]))).toEqual({
    dns: [],
    haproxy: [],
    teleport: [],
    "boot-server": [],
    "k8s-tools": ["k3s-node"],
  });
});

test("Teleport is reached from the settings, its secrets by where they lie", () => {
  const teleport = {
    clusterName: "fullstack-pw",
    postgres: { host: "p.pw", user: "t", database: "t", auditDatabase: "ta" },
    sessions: { bucket: "teleport", endpoint: "s3.pw", region: "main" },
    roles: [{ name: "db-access", spec: { allow: { db_names: ["*"] } } }],
  };
  const [planned] = rolesOf("tools", { "homelab:teleport": teleport }).get("teleport") ?? [];
  expect(planned?.secrets).toEqual({
    CLOUDFLARE_API_TOKEN: { path: "cloudflare", key: "api-token" },
    TELEPORT_POSTGRES_PASSWORD: { path: "cluster-secret-store/secrets/POSTGRES", key: "POSTGRES_PASSWORD" },
    AWS_ACCESS_KEY_ID: { path: "cluster-secret-store/secrets/AWS_ACCESS_KEY_ID", key: "AWS_ACCESS_KEY_ID" },
    AWS_SECRET_ACCESS_KEY: { path: "cluster-secret-store/secrets/AWS_SECRET_ACCESS_KEY", key: "AWS_SECRET_ACCESS_KEY" },
  });
  expect(planned?.role.operations.map(({ name }) => name)).toContain("certificate of teleport.fullstack.pw");
});

const bootServer = {
  iso: { version: "8.4-1", sha256: SHA },
  assistant: { codename: "bookworm", version: "8.4.6", keyFingerprint: "1".repeat(40) },
  answer: { fqdn: "node04.fullstack.pw", country: "pt", timeZone: "Europe/Lisbon", keyboard: "pt", mailto: "a@b.pw", diskFilter: { ID_SERIAL: "1" } },
};

test("the boot server's role needs its VM to run", () => {
  expect(() => rolesOf("tools", { "homelab:bootServer": bootServer })).toThrow(
    expect.objectContaining({ code: "E_HOST_OFF", message: "Pulumi.tools.yaml: homelab:bootServer is set, and the VM boot-server is off" }),
  );
  const on = new Map([...estate.vms].map(([name, spec]) => [name, { ...spec, running: true }]));
  const [planned] = rolesOf("tools", { "homelab:bootServer": bootServer }, on).get("boot-server") ?? [];
  expect(planned?.secrets).toEqual({ PVE_ROOT_PASSWORD_HASH: { path: "cluster-secret-store/secrets/PVE_ROOT_PASSWORD_HASH", key: "PVE_ROOT_PASSWORD_HASH" } });
  expect(compileRole(planned?.role ?? { name: "none", operations: [] }).script).toContain("http://192.168.1.10/answer.toml");
});

test.each([
  [
    "a VM of another stack",
    "dev",
    { "homelab:dns": { upstreams: ["1.1.1.1"] } },
    "E_CONFIG_VALUE",
    'homelab:dns is about the VM with the duty "dns", which is no VM of this stack',
  ],
  [
    "a load balancer for a stack that there is not",
    "tools",
    { "homelab:haproxy": { frontends: { pord: 6443 } } },
    "E_CONFIG_VALUE",
    'homelab:haproxy.frontends.pord: there is no stack "pord"',
  ],
  [
    "two stacks on one port",
    "tools",
    { "homelab:haproxy": { frontends: { dev: 6443, stg: 6443 } } },
    "E_ROLE_ARGS",
    "haproxy: port 6443 is asked for by stg and by dev",
  ],
] as const)("%s is refused", (_what, stack, settings, code, message) => {
  expect(() => rolesOf(stack, settings)).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) }));
});

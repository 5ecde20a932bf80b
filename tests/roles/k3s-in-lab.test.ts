/** The role k3s-server on a host of the lab: a first run, a second one, one after an interrupted run, and a host that already has k3s. */
import { base, combineRoles, k3sServer, k3sUninstalled, type Role } from "../../ansible-replacements";
import { renameKubeconfig } from "../../components/clusters/kubeconfig";
import { ADDRESS } from "../support/role-cases";
import { type RoleLab, startRoleLab } from "../support/role-lab";

let lab: RoleLab;
beforeEach(async () => {
  lab = await startRoleLab();
});
afterEach(() => lab.stop());

const node = (): Role => combineRoles("k3s-node", base, k3sServer({ address: ADDRESS, localStoragePath: "/mnt/storage" }));

test("the k3s role brings a cluster up, and a second run changes nothing", async () => {
  const first = await lab.run(node());
  expect([first.stderr, first.exitCode]).toEqual(["", 0]);
  expect(first.operations.map(({ operation, status }) => `${status} ${operation}`)).toEqual([
    "ok first boot finished",
    "ok packages curl ca-certificates qemu-guest-agent",
    "ok k3s is not newer than the pin",
    "ok a k3s of another installer loses no settings",
    "changed directory /mnt/storage",
    "changed directory /etc/rancher/k3s",
    "changed download /usr/local/bin/k3s",
    "ok no /etc/rancher/k3s/homelab.env",
    "changed file /etc/rancher/k3s/config.yaml",
    "changed file /etc/systemd/system/k3s.service",
    "changed service k3s",
    "ok kubernetes API ready",
  ]);
  const kubeconfig = await lab.host.run("sudo -n cat /etc/rancher/k3s/k3s.yaml");
  expect(renameKubeconfig(kubeconfig.stdout.toString(), "dev", "https://192.168.1.12:6443")).toContain("current-context: dev");
  const second = await lab.run(node());
  expect(second.summary).toEqual({ changed: 0, unchanged: 12 });
  expect(lab.clusterStarts()).toBe(1);
  expect(lab.ctx.unhandled.all()).toEqual([]);
});

test("check mode on a new host says all that is to do and does nothing", async () => {
  const { operations, exitCode } = await lab.run(node(), {}, "check");
  expect(exitCode).toBe(0);
  expect(operations.filter(({ status }) => status === "would-change")).toHaveLength(7);
  expect(lab.clusterStarts()).toBe(0);
  expect(lab.ctx.unhandled.all()).toEqual([]);
});

test("another configuration restarts k3s once, and the API is there again", async () => {
  await lab.run(node());
  const changed = combineRoles("k3s-node", base, k3sServer({ address: ADDRESS, localStoragePath: "/mnt/storage", disable: ["traefik"] }));
  const { operations, exitCode } = await lab.run(changed);
  expect(exitCode).toBe(0);
  expect(operations.filter(({ status }) => status === "changed").map(({ operation }) => operation)).toEqual([
    "file /etc/rancher/k3s/config.yaml",
    "service k3s",
  ]);
  expect(lab.clusterStarts()).toBe(2);
});

const operations = node().operations.map(({ name }, index) => ({ name, index }));

test.each(operations)("a run that was cut at $name is made good by the next one", async ({ index }) => {
  const role = node();
  const cut: Role = {
    ...role,
    operations: role.operations.map((operation, i) => (i === index ? { ...operation, check: ["false"], apply: ["(exit 9)"] } : operation)),
  };
  const first = await lab.run(cut);
  expect(first.operations.at(-1)).toMatchObject({ status: "failed", phase: "apply", exitCode: 9 });
  expect(first.operations).toHaveLength(index + 1);
  expect((await lab.run(node())).exitCode).toBe(0);
  expect((await lab.run(node())).summary).toEqual({ changed: 0, unchanged: 12 });
  expect(lab.ctx.unhandled.all()).toEqual([]);
});

test("a binary with other bytes than published is refused and not kept", async () => {
  const release = { version: "v1.36.2+k3s1", sha256: "0".repeat(64) };
  const { operations: done, exitCode } = await lab.run(k3sServer({ address: ADDRESS, release }));
  expect(exitCode).toBe(1);
  expect(done.at(-1)).toMatchObject({
    operation: "download /usr/local/bin/k3s",
    status: "failed",
    phase: "apply",
    stderr: expect.stringContaining(`expected ${"0".repeat(64)}`),
  });
  expect((await lab.host.run("ls /usr/local/bin")).stdout.toString()).not.toContain("k3s");
});

describe("k3s", () => {
  test("runs with its own configuration again after somebody ran it with another", async () => {
    await lab.run(k3sServer({ address: ADDRESS }));
    await lab.sh("echo 'debug: true' | sudo -n tee -a /etc/rancher/k3s/config.yaml; sudo -n systemctl restart k3s");
    const { operations } = await lab.run(k3sServer({ address: ADDRESS }));
    expect(operations.filter(({ status }) => status === "changed").map(({ operation }) => operation)).toEqual([
      "file /etc/rancher/k3s/config.yaml",
      "service k3s",
    ]);
    expect((await lab.run(k3sServer({ address: ADDRESS }))).summary?.changed).toBe(0);
  });

  test("is uninstalled with its data, and a second run changes nothing", async () => {
    await lab.run(k3sServer({ address: ADDRESS }));
    expect(await lab.run(k3sUninstalled())).toMatchObject({ exitCode: 0, stderr: "" });
    expect((await lab.run(k3sUninstalled())).summary?.changed).toBe(0);
    expect(await lab.sh("ls -d /etc/rancher/k3s /var/lib/rancher/k3s /usr/local/bin/k3s 2>/dev/null; systemctl is-active k3s")).toBe("inactive\n");
    expect(await lab.run(k3sServer({ address: ADDRESS }))).toMatchObject({ exitCode: 0 });
  });

  const UNIT = "/etc/systemd/system/k3s.service";
  /** Installs k3s as get.k3s.io does: unit, environment file, configuration. */
  const installedBy = async (argumentsOf: string, config = "") => {
    const unit = `[Service]\nType=notify\nEnvironmentFile=-/etc/default/%N\nEnvironmentFile=-${UNIT}.env\nExecStart=/usr/local/bin/k3s \\\n    server${argumentsOf}\nRestart=always\n`;
    await lab.sh(`sudo -n mkdir -p /etc/rancher/k3s; sudo -n tee ${UNIT} > /dev/null <<'E'\n${unit}E\n`);
    await lab.sh(`echo HTTPS_PROXY=http://proxy.example.org:3128 | sudo -n tee ${UNIT}.env > /dev/null`);
    if (config !== "") await lab.sh(`printf '%s' '${config}' | sudo -n tee /etc/rancher/k3s/config.yaml > /dev/null`);
    return unit;
  };

  test("that somebody else installed keeps its environment files", async () => {
    await installedBy("", 'tls-san:\n  - "a.example.org"\n');
    expect(await lab.run(k3sServer({ address: ADDRESS }))).toMatchObject({ exitCode: 0 });
    expect(await lab.sh(`cat ${UNIT}.env; grep -c '^EnvironmentFile=-${UNIT}.env$' ${UNIT}`)).toBe("HTTPS_PROXY=http://proxy.example.org:3128\n1\n");
    expect((await lab.run(k3sServer({ address: ADDRESS }))).summary?.changed).toBe(0);
  });

  test.each([
    ["arguments of its unit", " \\\n\t'--cluster-init' \\\n\t'--data-dir=/data'", "", "--cluster-init --data-dir=/data (arguments of"],
    ["keys of its configuration", "", "node-ip: 10.0.0.1\ndata-dir: /data\nkubelet-arg+:\n  - max-pods=250\n", "data-dir kubelet-arg (arguments of"],
  ])("that somebody else installed is not changed where it would lose %s", async (_, argumentsOf, config, named) => {
    const unit = await installedBy(argumentsOf, config);
    const { operations } = await lab.run(k3sServer({ address: ADDRESS }));
    expect(operations.at(-1)).toMatchObject({
      operation: "a k3s of another installer loses no settings",
      status: "failed",
      stderr: expect.stringContaining(named),
    });
    expect(await lab.sh(`cat ${UNIT}`)).toBe(unit);
  });

  test("takes a proxy and registries, and gives the proxy up again", async () => {
    const proxy = { https: "http://proxy.example.org:3128", no: [".example.org", "10.20.0.0/24"] };
    const registries = {
      mirrors: { "docker.io": { endpoints: ["https://registry.example.org"] } },
      authorities: { "registry.example.org": "/etc/ssl/own-ca.pem" },
    };
    await lab.run(k3sServer({ address: ADDRESS, proxy, registries }));
    expect(
      await lab.sh(
        "sudo -n stat -c '%a %n' /etc/rancher/k3s/homelab.env /etc/rancher/k3s/registries.yaml; sudo -n cat /etc/rancher/k3s/homelab.env /etc/rancher/k3s/registries.yaml",
      ),
    ).toBe(
      `600 /etc/rancher/k3s/homelab.env\n600 /etc/rancher/k3s/registries.yaml\nHTTPS_PROXY=http://proxy.example.org:3128\nNO_PROXY=127.0.0.0/8,localhost,${ADDRESS},.example.org,10.20.0.0/24\nmirrors:\n  "docker.io":\n    endpoint:\n      - "https://registry.example.org"\nconfigs:\n  "registry.example.org":\n    tls:\n      ca_file: "/etc/ssl/own-ca.pem"\n`,
    );
    expect((await lab.run(k3sServer({ address: ADDRESS, proxy, registries }))).summary?.changed).toBe(0);
    const { operations } = await lab.run(k3sServer({ address: ADDRESS, registries }));
    expect(operations.filter(({ status }) => status === "changed").map(({ operation }) => operation)).toEqual([
      "no /etc/rancher/k3s/homelab.env",
      "service k3s",
    ]);
  });

  test("a version before the one that runs is refused, and the newer one goes on running", async () => {
    await lab.run(k3sServer({ address: ADDRESS }));
    const report = await lab.run(k3sServer({ address: ADDRESS, release: { version: "v1.30.0+k3s1", sha256: "0".repeat(64) } }));
    expect(report.operations).toEqual([
      expect.objectContaining({
        operation: "k3s is not newer than the pin",
        status: "failed",
        stderr: expect.stringContaining("k3s v1.36.2+k3s1 is installed"),
      }),
    ]);
    expect(await lab.sh("systemctl is-active k3s")).toBe("active\n");
  });
});

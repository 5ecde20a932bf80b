/**
 * The k3s role on a Debian with systemd, with a stand-in for k3s, since nothing can be downloaded here. The stand-in answers as the role
 * expects of k3s. Everything else is real: folders, configuration, unit, service with readiness, restart on change.
 */
import { createHash } from "node:crypto";
import { k3sServer } from "../../ansible-replacements";
import { type RealHost, type RealHosts, startRealHosts } from "../support/real-hosts";
import { describeReal } from "../support/real-parts";
import { runRole } from "../support/real-role";

const PROGRAM = `#!/bin/sh
case $1 in
  server)
    umask 077
    echo started >>/var/log/k3s-starts
    echo 'apiVersion: v1' >/etc/rancher/k3s/k3s.yaml
    systemd-notify --ready
    exec sleep 100000
    ;;
  kubectl) systemctl is-active --quiet k3s ;;
esac
`;
const release = { version: "v1.36.2+k3s1", sha256: createHash("sha256").update(PROGRAM).digest("hex") };
const role = (disable: string[]) => k3sServer({ address: "192.168.1.12", localStoragePath: "/mnt/storage", disable, release });
const NAMES = role([]).operations.map(({ name }) => name);

describeReal(["ip", "debian-root"], "the k3s role on Debian", (pathOf) => {
  let real: RealHosts;
  let host: RealHost;
  beforeAll(async () => {
    real = await startRealHosts(pathOf("debian-root"), ["k8s-dev"]);
    [host] = real.hosts as [RealHost];
  });
  afterAll(() => real.stop());

  test("without the network it stops at the download, says so, and leaves no half of a file", async () => {
    const { exitCode, operations } = await runRole(host, k3sServer({ address: "192.168.1.12" }));
    expect(exitCode).toBe(1);
    expect(operations.at(-1)).toMatch(/^failed download \/usr\/local\/bin\/k3s: curl: \(\d+\) /);
    expect((await host.run("ls /usr/local/bin")).stdout).toBe("");
  });

  test("with the program in its place it brings the service up once", async () => {
    await host.run("sudo -n sh -c 'cat >/usr/local/bin/k3s && chmod 0755 /usr/local/bin/k3s'", { stdin: PROGRAM });
    expect((await runRole(host, role(["traefik"]))).operations).toEqual(
      NAMES.map((name) => `${/^(k3s is|a k3s of|no \/etc|download|kubernetes|directory \/etc)/.test(name) ? "ok" : "changed"} ${name}`),
    );
    expect((await host.run("systemctl is-active k3s; systemctl is-enabled k3s; sudo -n stat -c '%a %U' /etc/rancher/k3s/config.yaml")).stdout).toBe(
      "active\nenabled\n600 root\n",
    );
  });

  test("a second run changes nothing", async () => {
    expect((await runRole(host, role(["traefik"]))).summary).toEqual({ changed: 0, unchanged: NAMES.length });
    expect((await host.run("sudo -n cat /var/log/k3s-starts | wc -l")).stdout).toBe("1\n");
  });

  test("another configuration restarts the service once", async () => {
    const { operations } = await runRole(host, role(["traefik", "servicelb"]));
    expect(operations.filter((line) => line.startsWith("changed"))).toEqual(["changed file /etc/rancher/k3s/config.yaml", "changed service k3s"]);
    expect((await host.run("sudo -n cat /var/log/k3s-starts | wc -l")).stdout).toBe("2\n");
  });

  test("a service that was stopped is started again", async () => {
    await host.run("sudo -n systemctl stop k3s");
    const { operations } = await runRole(host, role(["traefik", "servicelb"]));
    expect(operations.filter((line) => line.startsWith("changed"))).toEqual(["changed service k3s"]);
  });
});

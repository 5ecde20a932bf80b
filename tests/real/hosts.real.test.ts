/** That the test hosts are what the other tests take them for. */
import * as fs from "node:fs";
import { type RealHosts, startRealHosts } from "../support/real-hosts";
import { describeReal } from "../support/real-parts";

describeReal(["ip", "debian-root"], "real hosts", (pathOf) => {
  let real: RealHosts;
  beforeAll(async () => {
    real = await startRealHosts(pathOf("debian-root"), ["one", "two"]);
  });
  afterAll(() => real.stop());

  const [first, second] = [0, 1].map((index) => () => {
    const host = real.hosts[index];
    if (host === undefined) throw new Error("no such host");
    return host;
  }) as [() => RealHosts["hosts"][0], () => RealHosts["hosts"][0]];

  test("a host runs systemd and OpenSSH, and the user becomes root without a password", async () => {
    expect(await first().run("cat /proc/1/comm; hostname; id -un; sudo -n id -un; systemctl is-active ssh")).toEqual({
      stdout: "systemd\none\nsuporte\nroot\nactive\n",
      stderr: "",
      exitCode: 0,
    });
  });

  test("standard input, standard error and the exit code come through", async () => {
    expect(await first().run("cat; echo no >&2; exit 7", { stdin: "in\n" })).toEqual({ stdout: "in\n", stderr: "no\n", exitCode: 7 });
  });

  test("no host sees another's files, processes or the machine's", async () => {
    await first().run("sudo -n touch /etc/only-on-one");
    expect((await second().run("ls /etc/only-on-one")).exitCode).toBe(2);
    expect(fs.existsSync("/etc/only-on-one")).toBe(false);
    expect((await first().run(`ls -d /proc/${process.pid}`)).exitCode).not.toBe(0);
  });

  test("a host may set its own network's kernel settings, and none of the machine's", async () => {
    const before = fs.readFileSync("/proc/sys/net/ipv4/ip_forward", "utf8");
    const flip = before.trim() === "1" ? "0" : "1";
    expect((await first().run(`echo ${flip} | sudo -n tee /proc/sys/net/ipv4/ip_forward`)).exitCode).toBe(0);
    expect((await first().run("cat /proc/sys/net/ipv4/ip_forward")).stdout.trim()).toBe(flip);
    expect(fs.readFileSync("/proc/sys/net/ipv4/ip_forward", "utf8")).toBe(before);
    expect(await first().run("echo 1 | sudo -n tee /proc/sys/vm/overcommit_memory")).toMatchObject({ exitCode: 1 });
  });

  test("apt installs from the machine's own sources, and nothing else is reached", async () => {
    const apt = await first().run("sudo -n sh -c 'apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq -y install jq' >/dev/null 2>&1; jq -n 1+1");
    expect(apt).toEqual({ stdout: "2\n", stderr: "", exitCode: 0 });
    expect((await first().run("curl -sS --connect-timeout 3 https://example.org/")).exitCode).not.toBe(0);
  });
});

test("nothing of a stopped host is left", () => {
  const left = fs.readdirSync("/sys/class/net").filter((name) => name.startsWith(`hl${process.pid}x`));
  expect(left).toEqual([]);
  expect(fs.readFileSync("/proc/self/mounts", "utf8")).not.toContain("homelab-real-");
});

/** The test hosts have the properties that the other tests assume. */
import { execFileSync, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { type RealHosts, startRealHosts } from "../support/real-hosts";
import { mountsBelow } from "../support/real-mounts";
import { describeReal } from "../support/real-parts";

describeReal(["ip", "debian-root"], "real hosts", (pathOf) => {
  let real: RealHosts;
  beforeAll(async () => {
    real = await startRealHosts(pathOf("debian-root"), ["one", "two"]);
  });
  afterAll(async () => {
    await real.stop();
    expect(leftOf(real)).toEqual({ links: [], mounts: [], cgroups: [], folder: false });
  });

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

describeReal(["ip", "debian-root"], "what is left of real hosts", (pathOf) => {
  test("stop does every step, and says what failed and what is still mounted", async () => {
    const real = await startRealHosts(pathOf("debian-root"), ["broken"]);
    const { root } = real.hosts[0] as RealHosts["hosts"][0];
    const extra = path.join(real.folder, "extra folder");
    fs.mkdirSync(extra);
    execFileSync("mount", ["-t", "tmpfs", "extra", extra]);
    // Makes a step in the middle fail.
    execFileSync("umount", ["--lazy", root]);
    await expect(real.stop()).rejects.toThrow(new RegExp(`^hosts of ${real.folder}: Command failed: umount .*${root}[\\s\\S]*; still mounted: ${extra}$`));
    expect(leftOf(real)).toEqual({ links: [], mounts: [extra], cgroups: [], folder: true });
    execFileSync("umount", [extra]);
    fs.rmSync(real.folder, { recursive: true });
  });

  test("what a killed run left is removed by the next one, and what a running process has is not", async () => {
    const { pid: gone } = spawnSync("true");
    const [abandoned, kept] = [gone, process.ppid].map((pid) => fs.mkdtempSync(path.join(os.tmpdir(), `homelab-real-${pid}-`))) as [string, string];
    for (const folder of [abandoned, kept]) {
      fs.mkdirSync(path.join(folder, "one/root"), { recursive: true });
      execFileSync("mount", ["-t", "tmpfs", "left", path.join(folder, "one/root")]);
    }
    const real = await startRealHosts(pathOf("debian-root"), []);
    expect([fs.existsSync(abandoned), mountsBelow(kept)]).toEqual([false, [path.join(kept, "one/root")]]);
    await real.stop();
    execFileSync("umount", [path.join(kept, "one/root")]);
    fs.rmSync(kept, { recursive: true });
  });
});

function leftOf({ folder }: RealHosts): { links: string[]; mounts: string[]; cgroups: string[]; folder: boolean } {
  const cgroups = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].filter((root) => fs.existsSync(root));
  return {
    links: fs.readdirSync("/sys/class/net").filter((name) => name.startsWith(`hl${process.pid}x`)),
    mounts: mountsBelow(folder),
    cgroups: cgroups.flatMap((root) => fs.readdirSync(root)).filter((name) => name.startsWith(path.basename(folder))),
    folder: fs.existsSync(folder),
  };
}

/** Our operations on a Debian host: what they do, that a second run does nothing, and that Ansible gives the same files. */
import * as path from "node:path";
import type { Role } from "../../ansible-replacements";
import { command } from "../../ansible-replacements/operations/commands";
import { directory, file } from "../../ansible-replacements/operations/files";
import { packages } from "../../ansible-replacements/operations/packages";
import { service } from "../../ansible-replacements/operations/services";
import { runAnsible } from "../support/real-ansible";
import { changedFiles } from "../support/real-files";
import { type RealHost, type RealHosts, startRealHosts } from "../support/real-hosts";
import { describeReal } from "../support/real-parts";
import { runRole } from "../support/real-role";

const UNIT = "[Unit]\nDescription=Greeter\n\n[Service]\nExecStart=/usr/local/bin/greeter\n\n[Install]\nWantedBy=multi-user.target\n";
const PROGRAM = "#!/bin/sh\nexec sleep 100000\n";

/** Configures a host in the same way as playbooks/base-host.yml. */
const HOST: Role = {
  name: "base-host",
  operations: [
    command("group storage", "getent group storage >/dev/null", "groupadd --gid 1800 storage"),
    command("user keeper", "id -u keeper >/dev/null 2>&1", "useradd --uid 1800 --gid storage --shell /bin/bash --create-home keeper"),
    directory("/srv/data", { mode: "0750", owner: "keeper:storage" }),
    directory("/etc/homelab-test/conf.d", { mode: "0755" }),
    file({ path: "/etc/homelab-test/conf.d/a.conf", mode: "0640", owner: "root:storage", content: 'it\'s "quoted" $HOME\n\ttab ünïcode\n' }),
    file({ path: "/etc/sysctl.d/90-test.conf", mode: "0644", content: "net.ipv4.ip_forward = 1\n" }),
    command("kernel setting", '[ "$(sysctl -n net.ipv4.ip_forward)" = 1 ]', "sysctl -p /etc/sysctl.d/90-test.conf"),
    packages("jq", "bash-completion"),
    file({ path: "/usr/local/bin/greeter", mode: "0755", content: PROGRAM }),
    file({ path: "/etc/systemd/system/greeter.service", mode: "0644", content: UNIT }),
    service({ name: "greeter", startedWith: [PROGRAM, UNIT] }),
  ],
};
const NAMES = HOST.operations.map(({ name }) => name);
/** Files in which our operations store what services were started with. Ansible has none. */
const OUR_STAMPS = [/^\/var\/lib\/homelab(\/|$)/];

describeReal(["ip", "ssh", "debian-root", "ansible"], "operations on Debian", (pathOf) => {
  let real: RealHosts;
  let ours: RealHost;
  let theirs: RealHost;
  beforeAll(async () => {
    real = await startRealHosts(pathOf("debian-root"), ["ours", "theirs", "spare"]);
    [ours, theirs] = real.hosts as [RealHost, RealHost];
  });
  afterAll(() => real.stop());

  test("check mode says all that is to do, and no file changes", async () => {
    const before = changedFiles(ours);
    const { exitCode, operations, summary } = await runRole(ours, HOST, { check: true });
    expect([exitCode, summary]).toEqual([0, { changed: NAMES.length, unchanged: 0 }]);
    expect(operations).toEqual(NAMES.map((name) => `would-change ${name}`));
    expect(changedFiles(ours)).toEqual(before);
  });

  test("a first run makes the host", async () => {
    const run = await runRole(ours, HOST);
    expect(run).toEqual({ exitCode: 0, stderr: "", operations: NAMES.map((name) => `changed ${name}`), summary: { changed: NAMES.length, unchanged: 0 } });
    expect((await ours.run("systemctl is-active greeter; systemctl is-enabled greeter; /sbin/sysctl -n net.ipv4.ip_forward; jq -n 1")).stdout).toBe(
      "active\nenabled\n1\n1\n",
    );
  });

  test("a second run changes nothing, and no file is written", async () => {
    const before = changedFiles(ours);
    const run = await runRole(ours, HOST);
    expect(run).toEqual({ exitCode: 0, stderr: "", operations: NAMES.map((name) => `ok ${name}`), summary: { changed: 0, unchanged: NAMES.length } });
    expect(changedFiles(ours)).toEqual(before);
  });

  test("Ansible makes the same host: every file with the same content, owner and mode", async () => {
    const run = await runAnsible(pathOf("ansible"), real, [theirs], path.join(__dirname, "playbooks/base-host.yml"));
    expect([run.exitCode, run.exitCode === 0 ? "" : run.output]).toEqual([0, ""]);
    expect(run.recap["theirs"]).toMatchObject({ changed: NAMES.length, failed: 0 });
    expect(changedFiles(ours, OUR_STAMPS)).toEqual(changedFiles(theirs));
    expect((await theirs.run("systemctl is-active greeter; systemctl is-enabled greeter; /sbin/sysctl -n net.ipv4.ip_forward")).stdout).toBe(
      "active\nenabled\n1\n",
    );
  });

  test("our role has nothing to do on the host that Ansible made, but to note what the service was started with", async () => {
    const { operations, exitCode } = await runRole(theirs, HOST);
    expect(exitCode).toBe(0);
    expect(operations).toEqual(NAMES.map((name) => `${name === "service greeter" ? "changed" : "ok"} ${name}`));
  });

  test("Ansible has nothing to do on the host that our role made", async () => {
    const { recap, exitCode } = await runAnsible(pathOf("ansible"), real, [ours], path.join(__dirname, "playbooks/base-host.yml"));
    expect([exitCode, recap["ours"]]).toEqual([0, { ok: expect.any(Number), changed: 0, failed: 0 }]);
  });

  /** A service with a slow reload. Like haproxy, it tells systemd of the reload only after `systemctl reload` has returned. */
  const reloading = (content: string, daemon: string): Role => {
    const notify = "Type=notify\nNotifyAccess=all\nTimeoutStartSec=infinity\nExecReload=/bin/kill -HUP $MAINPID\n";
    const unit = `[Service]\n${notify}ExecStart=/bin/bash /usr/local/bin/slow-reload\n\n[Install]\nWantedBy=multi-user.target\n`;
    const operations = [
      file({ path: "/etc/slow-reload.conf", mode: "0644", content }),
      file({ path: "/usr/local/bin/slow-reload", mode: "0755", content: daemon }),
      file({ path: "/etc/systemd/system/slow-reload.service", mode: "0644", content: unit }),
      service({ name: "slow-reload", startedWith: [unit, daemon], reloadedWithFiles: ["/etc/slow-reload.conf"] }),
    ];
    return { name: "slow-reload", operations };
  };
  const daemonThatOnHup = (does: string) =>
    `load() { cp /etc/slow-reload.conf /run/loaded; }\ntrap '${does}' HUP\nload\nsystemd-notify --ready\nwhile :; do sleep 0.1; done\n`;

  test("a service that is still loading its new configuration is waited for", async () => {
    const daemon = daemonThatOnHup("systemd-notify RELOADING=1; sleep 3; load; systemd-notify --ready");
    expect((await runRole(ours, reloading("one\n", daemon))).exitCode).toBe(0);
    expect(await runRole(ours, reloading("two\n", daemon))).toMatchObject({ exitCode: 0, summary: { changed: 2, unchanged: 2 } });
    expect((await ours.run("cat /run/loaded; systemctl is-active slow-reload")).stdout).toBe("two\nactive\n");
  });

  test("a reload that never ends is the operation's failure, and the next run restarts the service", async () => {
    const daemon = daemonThatOnHup("systemd-notify RELOADING=1");
    expect((await runRole(ours, reloading("three\n", daemon))).exitCode).toBe(0);
    const why = "slow-reload.service has not finished its reload after 30 seconds";
    const stuck = await runRole(ours, reloading("four\n", daemon));
    expect([stuck.exitCode, stuck.operations.at(-1)]).toEqual([1, `failed service slow-reload: ${why}`]);
    expect((await runRole(ours, reloading("four\n", daemon))).operations.at(-1)).toMatch(/^changed service slow-reload/);
    expect((await ours.run("cat /run/loaded; systemctl is-active slow-reload")).stdout).toBe("four\nactive\n");
  });

  describe("what goes wrong", () => {
    const spare = () => real.hosts[2] as RealHost;

    test("a package that does not exist is the operation's failure, with apt's words", async () => {
      const { exitCode, operations, stderr } = await runRole(spare(), { name: "bad", operations: [packages("no-such-package-anywhere")] });
      expect(exitCode).toBe(1);
      expect(operations).toEqual(["failed packages no-such-package-anywhere: E: Unable to locate package no-such-package-anywhere"]);
      expect(stderr).toContain('operation "packages no-such-package-anywhere" failed on spare (apply, exit code 100)');
    });

    test("apt's lock that another process holds is waited for", async () => {
      const hold = `import fcntl, time
lock = open("/var/lib/dpkg/lock-frontend", "w")
fcntl.lockf(lock, fcntl.LOCK_EX)
open("/tmp/held", "w")
time.sleep(8)
`;
      await spare().run("cat >/tmp/hold.py; sudo -n sh -c 'python3 /tmp/hold.py </dev/null >/dev/null 2>&1 &'", { stdin: hold });
      expect((await spare().run("for i in $(seq 50); do [ -e /tmp/held ] && exit; sleep 0.1; done; exit 1")).exitCode).toBe(0);
      expect(await spare().run("sudo -n apt-get -qq -y install jq 2>&1")).toMatchObject({
        exitCode: 100,
        stdout: expect.stringContaining("Could not get lock"),
      });
      expect((await runRole(spare(), { name: "locked", operations: [packages("jq")] })).operations).toEqual(["changed packages jq"]);
    });

    test("a full disk fails the file's operation, the old file stays, and a run with space makes it good", async () => {
      const role = (content: string): Role => ({ name: "full", operations: [file({ path: "/small/a.conf", mode: "0644", content })] });
      await spare().run("sudo -n sh -c 'mkdir /small && mount -t tmpfs -o size=64k small /small'");
      expect((await runRole(spare(), role("old\n"))).exitCode).toBe(0);
      const failed = await runRole(spare(), role("x".repeat(100_000)));
      expect(failed.exitCode).toBe(1);
      expect(failed.operations[0]).toContain("No space left on device");
      expect((await spare().run("cat /small/a.conf")).stdout).toBe("old\n");
      await spare().run("sudo -n mount -o remount,size=1m /small");
      expect((await runRole(spare(), role("x".repeat(100_000)))).operations).toEqual(["changed file /small/a.conf"]);
      expect((await spare().run("ls /small; stat -c %s /small/a.conf")).stdout).toBe("a.conf\n100000\n");
    });

    test("a service that does not start is the operation's failure, and a mended one is started by the next run", async () => {
      const role = (exec: string): Role => {
        const unit = `[Service]\nExecStart=${exec}\n\n[Install]\nWantedBy=multi-user.target\n`;
        const operations = [
          file({ path: "/etc/systemd/system/broken.service", mode: "0644", content: unit }),
          service({ name: "broken", startedWith: [unit] }),
        ];
        return { name: "broken", operations };
      };
      const failed = await runRole(spare(), role("/nowhere/program"));
      expect([failed.exitCode, failed.operations]).toEqual([
        1,
        ["changed file /etc/systemd/system/broken.service", "failed service broken: broken.service does not run"],
      ]);
      expect((await runRole(spare(), role("/usr/bin/sleep 100000"))).exitCode).toBe(0);
      expect((await runRole(spare(), role("/usr/bin/sleep 100000"))).summary).toEqual({ changed: 0, unchanged: 2 });
    });
  });
});

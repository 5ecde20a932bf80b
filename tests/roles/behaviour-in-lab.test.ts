/** What roles do on a host of the lab with problems: locks, interrupted programs, data on a disk, refused configurations. */
import { longhornPrep, pihole, type Role, roleFailure } from "../../ansible-replacements";
import { command } from "../../ansible-replacements/operations/commands";
import { packages } from "../../ansible-replacements/operations/packages";
import { clusterApiRole, haproxyRole, ROLE_CASES, SECRETS, teleportRole, usbDisk, usbRole } from "../support/role-cases";
import { type RoleLab, startRoleLab } from "../support/role-lab";

let lab: RoleLab;
const HOST = "k8s-dev";
beforeEach(async () => {
  lab = await startRoleLab();
});
afterEach(() => lab.stop());

const journal = (unit: string) => lab.sh(`journalctl -u ${unit} | grep -c -e Reloaded`);
const jq: Role = { name: "one", operations: [packages("jq")] };

describe("packages", () => {
  test("wait for another process's lock and go on when it is free", async () => {
    lab.ctx.faults.queue({ name: "apt.lock-held", times: 3 });
    expect(await lab.run(jq)).toMatchObject({ exitCode: 0, summary: { changed: 1, unchanged: 0 } });
    expect(lab.slept()).toBe(15_000);
  });

  test("give up after five minutes and say who holds the lock", async () => {
    lab.ctx.faults.queue({ name: "apt.lock-held", times: 1000 });
    const report = await lab.run(jq);
    expect(report.operations[0]).toMatchObject({ operation: "packages jq", status: "failed", phase: "apply", exitCode: 100 });
    expect(report.operations[0]?.stderr).toContain(
      "waited 300 seconds for the lock of apt\nE: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 1234 (unattended-upgr)",
    );
    expect(roleFailure(report, HOST)).toMatchObject({ code: "E_ROLE_FAILED", subject: HOST });
  });

  test("that do not exist are named, and nothing is installed", async () => {
    const report = await lab.run({ name: "one", operations: [packages("jq", "no-such-package")] });
    expect(report.operations).toEqual([
      { operation: "packages jq no-such-package", status: "failed", phase: "apply", exitCode: 100, stderr: "E: Unable to locate package no-such-package" },
    ]);
    expect(await lab.sh("dpkg-query -W jq || echo none")).toBe("none\n");
  });

  test("a dpkg that was cut is put in order first", async () => {
    lab.ctx.faults.queue({ name: "apt.interrupted", times: 1 });
    expect(await lab.run(jq)).toMatchObject({ exitCode: 0 });
  });

  test("a download that fails fails the role, and the next run installs", async () => {
    lab.ctx.faults.queue({ name: "apt.install-failed", times: 1 });
    expect((await lab.run(jq)).operations[0]).toMatchObject({ status: "failed", stderr: expect.stringContaining("Connection failed") });
    expect(await lab.run(jq)).toMatchObject({ exitCode: 0 });
  });
});

describe("USB storage", () => {
  test.each([
    ["a partition table", { type: "gpt", uuid: "1" }],
    ["another filesystem", { type: "xfs", uuid: "2" }],
  ])("%s on the disk is left as it is", async (_what, content) => {
    await lab.stop();
    lab = await startRoleLab(usbDisk(content));
    const report = await lab.run(usbRole());
    expect(report.operations.at(-1)).toMatchObject({
      status: "failed",
      phase: "apply",
      stderr: expect.stringContaining("is not empty and is left as it is; it holds"),
    });
    expect(report.operations.at(-1)?.stderr).toContain(`TYPE=${content.type}`);
    expect((await lab.host.save()).disks).toEqual([{ name: "sdb", sizeGiB: 1000, id: usbDisk().id, content }]);
  });

  test("a disk that is not plugged in is named", async () => {
    expect((await lab.run(usbRole())).operations.at(-1)).toMatchObject({ stderr: `/dev/disk/by-id/${usbDisk().id} is not there: is the disk connected?` });
  });

  test("an ext4 filesystem with data is mounted and not made anew", async () => {
    await lab.stop();
    lab = await startRoleLab(usbDisk({ type: "ext4", uuid: "keep-me" }));
    const report = await lab.run(usbRole());
    expect(report.operations.map(({ status }) => status)).toEqual(["ok", "ok", "changed", "changed", "changed"]);
    expect(await lab.sh("findmnt -n -o UUID --mountpoint /mnt/home; grep /mnt/home /etc/fstab")).toBe(
      "keep-me\nUUID=keep-me /mnt/home ext4 defaults,nofail 0 2\n",
    );
  });
});

describe("haproxy", () => {
  const secrets = { HAPROXY_STATS_PASSWORD: SECRETS.HAPROXY_STATS_PASSWORD };

  test("a new configuration is loaded without a restart, and the old one is kept beside it", async () => {
    await lab.run(haproxyRole(), secrets);
    const before = await lab.sh("systemctl show haproxy -p MainPID --value");
    const report = await lab.run(haproxyRole(6444), secrets);
    expect(report.operations.map(({ status }) => status)).toEqual(["ok", "changed", "changed", "ok"]);
    expect(await lab.sh("systemctl show haproxy -p MainPID --value")).toBe(before);
    expect(await journal("haproxy")).toBe("1\n");
    expect(
      await lab.sh("grep -c 6444 /etc/haproxy/haproxy.cfg; grep -c 6444 /etc/haproxy/haproxy.cfg.homelab-backup; stat -c %a /etc/haproxy/haproxy.cfg"),
    ).toBe("1\n0\n600\n");
  });

  test("a configuration that somebody loaded by hand is loaded no more once the file is put back", async () => {
    await lab.run(haproxyRole(), secrets);
    await lab.sh("echo '# by hand' | sudo -n tee -a /etc/haproxy/haproxy.cfg; sudo -n systemctl reload haproxy");
    const report = await lab.run(haproxyRole(), secrets);
    expect(report.operations.map(({ status }) => status)).toEqual(["ok", "changed", "changed", "ok"]);
    expect(await journal("haproxy")).toBe("2\n");
    expect((await lab.run(haproxyRole(), secrets)).summary?.changed).toBe(0);
  });

  test("another password reloads it too", async () => {
    await lab.run(haproxyRole(), secrets);
    expect((await lab.run(haproxyRole(), { HAPROXY_STATS_PASSWORD: "another" })).operations.map(({ status }) => status)).toEqual([
      "ok",
      "changed",
      "changed",
      "ok",
    ]);
    expect(await lab.sh("grep -c 'user admin insecure-password \"another\"' /etc/haproxy/haproxy.cfg")).toBe("1\n");
  });

  test("what haproxy does not accept never takes the place of the old configuration, and no secret is told", async () => {
    await lab.run(haproxyRole(), secrets);
    const before = await lab.sh("cat /etc/haproxy/haproxy.cfg");
    const report = await lab.run(haproxyRole(), { HAPROXY_STATS_PASSWORD: "first line\ncanarylinetwo x" });
    expect(report.operations.at(-1)).toMatchObject({
      operation: "file /etc/haproxy/haproxy.cfg",
      status: "failed",
      phase: "apply",
      stderr: expect.stringContaining("[ALERT]"),
    });
    expect(report.stdout + report.stderr).not.toContain("canarylinetwo x");
    expect(await lab.sh("cat /etc/haproxy/haproxy.cfg; ls /etc/haproxy")).toBe(
      `${before}haproxy.cfg\n`.replace("haproxy.cfg\n", "haproxy.cfg\nhaproxy.cfg.homelab-backup\n"),
    );
  });
});

describe("teleport", () => {
  const secrets = ROLE_CASES["teleport"]?.().secrets ?? {};

  test("a renewed certificate reaches it, and nothing is copied", async () => {
    expect((await lab.run(teleportRole(), secrets)).exitCode).toBe(0);
    expect(await journal("teleport")).toBe("0\n");
    await lab.sh("certbot renew --force-renewal");
    expect(await journal("teleport")).toBe("1\n");
    expect(await lab.sh("grep -c /etc/letsencrypt/live/teleport.fullstack.pw/fullchain.pem /etc/teleport.yaml; ls /etc/letsencrypt/renewal-hooks/deploy")).toBe(
      "1\nteleport\n",
    );
  });

  test("another text of a role is stored, by tctl and once", async () => {
    await lab.run(teleportRole(), secrets);
    const other = teleportRole({ allow: { db_names: ["one"] } });
    expect((await lab.run(other, secrets)).operations.filter(({ status }) => status === "changed")).toEqual([
      { operation: "teleport role db-access", status: "changed" },
    ]);
    expect((await lab.run(other, secrets)).summary?.changed).toBe(0);
  });

  test("files with secrets are for root alone, and the configuration has none", async () => {
    await lab.run(teleportRole(), secrets);
    expect(await lab.sh("stat -c '%a %U' /etc/teleport.yaml /etc/teleport.environment /etc/letsencrypt/cloudflare.ini")).toBe("600 root\n600 root\n600 root\n");
    expect(await lab.sh("grep -c canary /etc/teleport.yaml")).toBe("0\n");
    expect(await lab.sh("cat /etc/teleport.environment")).toBe(
      'PGPASSWORD="post\\"gres \\$canary-3"\nAWS_ACCESS_KEY_ID="access-canary-4"\nAWS_SECRET_ACCESS_KEY="secret/canary-5"\n',
    );
  });
});

test("Cluster API: another version is an upgrade in place, and a missing secret is told by name", async () => {
  const { before, secrets = {} } = ROLE_CASES["cluster-api"]?.() ?? {};
  if (before !== undefined) await lab.run(before);
  const refused = await lab.run(clusterApiRole(), { ...secrets, PROXMOX_SECRET: "" });
  expect(refused.operations.at(-1)?.stderr).toContain("value for variables [PROXMOX_SECRET] is not set");
  await lab.run(clusterApiRole(), secrets);
  const report = await lab.run(clusterApiRole("cluster-api:v1.9.6"), secrets);
  expect(report.operations.map(({ status }) => status)).toEqual(["ok", "ok", "changed", "ok"]);
});

test("Longhorn: multipathd is stopped where it is there, and stays so", async () => {
  await lab.sh(
    `printf '[Unit]\\nDescription=m\\n[Install]\\nWantedBy=multi-user.target\\n' > /etc/systemd/system/multipathd.service; systemctl enable --now multipathd`,
  );
  const report = await lab.run(longhornPrep());
  expect(report.operations.filter(({ status }) => status === "changed").map(({ operation }) => operation)).toContain("unit multipathd.service stopped");
  await lab.restart();
  expect(await lab.sh("systemctl is-active multipathd")).toBe("inactive\n");
  expect((await lab.run(longhornPrep())).summary?.changed).toBe(0);
});

test("Pi-hole comes back by itself after a restart, with its fixed names; one that is taken out of the role is gone", async () => {
  const role = pihole({ upstreams: ["1.1.1.1"], hosts: { "vault.fullstack.pw": "192.168.1.15", "nas.fullstack.pw": "192.168.1.9" } });
  await lab.run(role, { PIHOLE_PASSWORD: "x" });
  await lab.restart();
  const addresses = () => ["vault", "nas"].map((name) => lab.ctx.network.addressOf(`${name}.fullstack.pw`));
  expect(addresses()).toEqual(["192.168.1.15", "192.168.1.9"]);
  await lab.run(pihole({ upstreams: ["1.1.1.1"], hosts: { "vault.fullstack.pw": "192.168.1.16" } }), { PIHOLE_PASSWORD: "x" });
  expect(addresses()).toEqual(["192.168.1.16", undefined]);
  await lab.run(role, { PIHOLE_PASSWORD: "x" });
  expect((await lab.run(role, { PIHOLE_PASSWORD: "x" })).summary).toEqual({ changed: 0, unchanged: role.operations.length });
});

test("a secret that a program prints is cut out on the host, each of its lines as well", async () => {
  const role: Role = {
    name: "leak",
    secrets: ["LEAK"],
    operations: [command("prints", "false", `{ printf 'a %s b\\n' "$HL_SECRET_LEAK" >&2; printf 'x second-line-secret y\\n' >&2; false; }`)],
  };
  const report = await lab.run(role, { LEAK: "first-secret*[x]\nsecond-line-secret" });
  expect(report.operations[0]?.stderr).toContain("x [secret LEAK] y");
  for (const line of ["first-secret", "second-line-secret"]) expect(report.stdout + report.stderr).not.toContain(line);
});

test("a report that was cut names the last operation that ended", async () => {
  const report = await lab.run(jq);
  expect(roleFailure({ operations: report.operations, summary: undefined }, HOST)).toMatchObject({
    code: "E_ROLE_CUT",
    message: 'k8s-dev: the role was cut after "packages jq"',
  });
  expect(roleFailure(report, HOST)).toBeUndefined();
});

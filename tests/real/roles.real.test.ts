/**
 * Roles on a Debian with systemd, as far as is possible on hosts that share the machine's kernel and reach only Debian's archives. SKIPPED
 * and docs/real-parts.md name what is left out. Ansible gives the same files on an equal host.
 */
import * as fs from "node:fs";
import * as http from "node:http";
import * as net from "node:net";
import * as path from "node:path";
import { haproxy, kubeadmNode, longhornPrep, type Role } from "../../ansible-replacements";
import { runAnsible } from "../support/real-ansible";
import { changedFiles } from "../support/real-files";
import { type RealHost, type RealHosts, startRealHosts } from "../support/real-hosts";
import { describeReal } from "../support/real-parts";
import { type RoleRun, runRole } from "../support/real-role";

/** Kernel modules cannot be loaded, so there is no iSCSI. There is no disk with ext4, and `swapoff` would act on the machine. */
const SKIPPED = /^(kernel |service iscsid$|filesystem for replicas$|swap off$)/;
/** Operations that need pkgs.k8s.io. */
const FROM_KUBERNETES = /^(key of package source|file \/etc\/apt\/sources|pinned packages|unit kubelet|kubeadm answers)/;
const without = (role: Role, ...skipped: RegExp[]): Role => ({
  ...role,
  operations: role.operations.filter(({ name }) => !skipped.some((pattern) => pattern.test(name))),
});
const namesOf = (role: Role): string[] => role.operations.map(({ name }) => name);
const changed = ({ operations }: RoleRun): string[] => operations.filter((line) => !line.startsWith("ok "));

const LONGHORN = longhornPrep({ dataPath: "/srv/longhorn" });
const NODE = kubeadmNode();
const PASSWORD = 'p"w $1 `x`';

/** Files that only our roles write: what services were started with, and the previous version of a configuration. */
const OURS = [/^\/var\/lib\/homelab(\/|$)/, /\.homelab-backup$/];
/** Files whose content differs with each installation, or that a running daemon writes. */
const MADE_UP = [
  /^\/etc\/iscsi\/(initiatorname\.iscsi|iscsid\.conf)$/,
  /^\/var\/lib\/(containerd|nfs|haproxy)(\/|$)/,
  /^\/opt(\/|$)/,
  /^\/etc\/systemd\/system\/sysinit\.target\.wants(\/|$)/,
];

describeReal(["ip", "ssh", "debian-root", "ansible"], "roles on Debian", (pathOf) => {
  let real: RealHosts;
  let ours: RealHost;
  let theirs: RealHost;
  let echo: net.Server;
  const open = new Set<net.Socket>();
  beforeAll(async () => {
    real = await startRealHosts(pathOf("debian-root"), ["ours", "theirs"]);
    [ours, theirs] = real.hosts as [RealHost, RealHost];
    echo = net.createServer((socket) => {
      open.add(socket);
      socket.on("close", () => open.delete(socket));
      socket.on("error", () => undefined);
      socket.pipe(socket);
    });
    await new Promise<void>((resolve) => echo.listen(0, ours.gateway, resolve));
  });
  afterAll(async () => {
    for (const socket of open) socket.destroy();
    await new Promise((resolve) => echo.close(resolve));
    await real.stop();
  });

  test("longhorn-prep stops at the module that this kernel does not have, in modprobe's words", async () => {
    const run = await runRole(ours, LONGHORN);
    expect(run.exitCode).toBe(1);
    expect(run.operations.slice(0, 2)).toEqual(["changed packages nfs-common open-iscsi util-linux", "changed file /etc/modules-load.d/longhorn.conf"]);
    expect(run.operations.at(-1)).toMatch(/^failed kernel modules iscsi_tcp: modprobe: FATAL: Module iscsi_tcp not found/);
  });

  test("longhorn-prep refuses a filesystem that Longhorn does not support", async () => {
    const run = await runRole(ours, without(LONGHORN, /^(kernel |service iscsid$)/));
    expect(run.operations.at(-1)).toBe(
      "failed filesystem for replicas: /srv/longhorn lies on a filesystem that Longhorn does not support; it needs ext4 or xfs",
    );
  });

  test("longhorn-prep, the rest: a second run changes nothing, and the programs are Debian's", async () => {
    const role = without(LONGHORN, SKIPPED);
    expect((await runRole(ours, role)).exitCode).toBe(0);
    expect(await runRole(ours, role)).toMatchObject({ exitCode: 0, summary: { changed: 0, unchanged: role.operations.length } });
    expect(namesOf(role)).toContain("programs that Longhorn calls");
  });

  test("kubeadm-node: containerd runs with its configuration; Kubernetes's packages are not to be had, and that is said", async () => {
    const stopped = await runRole(ours, without(NODE, SKIPPED));
    expect(stopped.exitCode).toBe(1);
    expect(stopped.operations.at(-1)).toMatch(/^failed key of package source kubernetes: curl: \(6\) Could not resolve host: pkgs\.k8s\.io/);
    const role = without(NODE, SKIPPED, FROM_KUBERNETES);
    expect(await runRole(ours, role)).toMatchObject({ exitCode: 0, summary: { changed: 0, unchanged: role.operations.length } });
    expect((await ours.run("systemctl is-active containerd; sudo -n containerd config dump | grep -c 'SystemdCgroup = true'")).stdout).toBe("active\n1\n");
  });

  const balancer = (user: string): Role => {
    const { port } = echo.address() as net.AddressInfo;
    return haproxy({
      clusters: [{ name: "dev", frontendPort: 6443, backendPort: port, nodes: [{ name: "k8s-dev", address: ours.gateway }] }],
      stats: { user },
    });
  };
  const apply = (role: Role, password = PASSWORD): Promise<RoleRun> => runRole(ours, role, { secrets: { HAPROXY_STATS_PASSWORD: password } });

  const connect = (): Promise<net.Socket> =>
    new Promise((resolve, reject) => {
      const socket = net.connect(6443, ours.address, () => resolve(socket)).on("error", reject);
    });
  const roundTrip = (socket: net.Socket, text: string): Promise<string> =>
    new Promise((resolve, reject) => {
      socket.once("data", (chunk) => resolve(chunk.toString()));
      socket.once("error", reject);
      socket.once("close", () => reject(new Error("cut off")));
      socket.write(text);
    });
  const statistics = (auth?: string): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const options = { host: ours.address, port: 8404, path: "/", agent: false, ...(auth === undefined ? {} : { auth }) };
      http.get(options, (response) => resolve(response.resume().statusCode)).on("error", reject);
    });

  /** Waits until new connections reach the new workers. haproxy reports a reload a moment late, and until then an old worker may accept them. */
  const untilStatistics = async (auth: string): Promise<void> => {
    const deadline = Date.now() + 30_000;
    for (let status: number | undefined; status !== 200; ) {
      status = await statistics(auth);
      if (Date.now() > deadline) throw new Error(`haproxy still answers ${status} to ${auth.split(":")[0]}`);
    }
  };

  test("haproxy serves the cluster, and its statistics to who has the password", async () => {
    expect(await apply(balancer("admin"))).toMatchObject({ exitCode: 0, stderr: "" });
    expect((await apply(balancer("admin"))).summary).toEqual({ changed: 0, unchanged: 4 });
    const socket = await connect();
    expect(await roundTrip(socket, "ping")).toBe("ping");
    socket.destroy();
    expect([await statistics(), await statistics("admin:wrong"), await statistics(`admin:${PASSWORD}`)]).toEqual([401, 401, 200]);
    expect((await ours.run("sudo -n stat -c '%a %U' /etc/haproxy/haproxy.cfg")).stdout).toBe("600 root\n");
  });

  test("another configuration is loaded while connections are open and others come: none is cut, and no process restarts", async () => {
    const before = (await ours.run("systemctl show -p MainPID --value haproxy")).stdout;
    const kept = await connect();
    expect(await roundTrip(kept, "before")).toBe("before");
    let stop = false;
    const many = (async () => {
      let answered = 0;
      while (!stop) {
        const socket = await connect();
        expect(await roundTrip(socket, "x")).toBe("x");
        socket.destroy();
        answered++;
      }
      return answered;
    })();
    expect(changed(await apply(balancer("operator")))).toEqual(["changed file /etc/haproxy/haproxy.cfg", "changed service haproxy"]);
    await untilStatistics(`operator:${PASSWORD}`);
    expect(await statistics(`admin:${PASSWORD}`)).toBe(401);
    stop = true;
    expect(await many).toBeGreaterThan(10);
    expect(await roundTrip(kept, "after")).toBe("after");
    kept.destroy();
    expect((await ours.run("systemctl show -p MainPID --value haproxy")).stdout).toBe(before);
  });

  test("what haproxy refuses is not put in place, no secret is told, and the old configuration goes on", async () => {
    const run = await apply(balancer("operator"), "first line\ncanarylinetwo x");
    expect(run.exitCode).toBe(1);
    expect(run.operations.at(-1)).toMatch(/^failed file \/etc\/haproxy\/haproxy\.cfg: [\s\S]*\[ALERT\]/);
    expect(JSON.stringify(run)).not.toContain("canarylinetwo x");
    expect(await statistics(`operator:${PASSWORD}`)).toBe(200);
    expect((await apply(balancer("operator"))).summary?.changed).toBe(0);
  });

  test("Ansible makes the same host: every file with the same content, owner and mode; and each finds nothing to do on ours", async () => {
    fs.copyFileSync(path.join(ours.root, "etc/haproxy/haproxy.cfg"), path.join(real.folder, "haproxy.cfg"));
    const playbook = path.join(__dirname, "playbooks/roles-host.yml");
    const run = await runAnsible(pathOf("ansible"), real, [theirs], playbook);
    expect([run.exitCode, run.exitCode === 0 ? "" : run.output]).toEqual([0, ""]);
    expect(changedFiles(ours, [...OURS, ...MADE_UP])).toEqual(changedFiles(theirs, MADE_UP));
    expect((await runAnsible(pathOf("ansible"), real, [ours], playbook)).recap["ours"]).toMatchObject({ changed: 0, failed: 0 });
  });
});

/**
 * The kubeadm roles with the real kubeadm on Debian: init, admission, joining as worker and as control plane. kubeadm's own strict check
 * reads each configuration while it exists. tests/support/real-kubelet.py is a stand-in for the kubelet.
 */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { z } from "zod";
import { kubeadmAdmission, kubeadmCluster, kubeadmJoin, kubeadmNode, type Role } from "../../ansible-replacements";
import { authorityHash, clusterCa, renameKubeconfig } from "../../components/clusters/kubeconfig";
import { type KubeadmAnswer, kubeadmAnswers, kubeadmAnswersWithoutApi, REFUSED_JOINS } from "../support/kubeadm-answers";
import { type RealHost, type RealHosts, startRealHosts } from "../support/real-hosts";
import { bringPrograms, connectHosts, KUBEADM_PARTS, seen, untilPrinted } from "../support/real-kubeadm";
import { describeReal } from "../support/real-parts";
import { type RoleRun, runRole } from "../support/real-role";

const VERSION = "1.34.2";
const SECRETS = { KUBEADM_TOKEN: "hlreal.testtoken0000001", KUBEADM_CERTIFICATE_KEY: "c0ffee00".repeat(8) };
/** The secrets: of the token only the second part, since the first is its name. */
const SECRET_WORDS = ["testtoken0000001", SECRETS.KUBEADM_CERTIFICATE_KEY];
const STORED_TOKEN = "bootstrap-token-hlreal";

/** Operations that cannot run here: the hosts have no kernel modules and no swap of their own, and cannot download Kubernetes' packages. */
const LEFT_OUT = /^(kernel |swap off$|key of package source|file \/etc\/apt\/sources|pinned packages)/;
const keep = (role: Role, wanted: (name: string) => boolean): Role => ({ ...role, operations: role.operations.filter(({ name }) => wanted(name)) });
const lastOf = ({ operations }: RoleRun): string => operations.at(-1) ?? "";

const secretSchema = z.object({ metadata: z.object({ resourceVersion: z.string() }), data: z.record(z.string(), z.string()) });

describeReal(KUBEADM_PARTS, "kubeadm on Debian", (pathOf) => {
  let real: RealHosts;
  let first: RealHost;
  let second: RealHost;
  let addresses: [string, string];
  let network: string;
  beforeAll(async () => {
    real = await startRealHosts(pathOf("debian-root"), ["k8s-first", "k8s-second"]);
    [first, second] = real.hosts as [RealHost, RealHost];
    ({ addresses, network } = connectHosts([first, second]));
    await Promise.all(real.hosts.map((host) => bringPrograms(host, pathOf)));
  });
  afterAll(() => real.stop());

  const endpoint = () => `${addresses[0]}:6443`;
  const cluster = (version = VERSION): Role =>
    keep(
      kubeadmCluster({
        name: "k8s-first",
        address: addresses[0],
        endpoint: endpoint(),
        clusterName: "real",
        podCidr: "10.244.0.0/16",
        lan: network,
        alternativeNames: [first.address, "api.homelab.test"],
        version,
        cilium: { cli: { version: "v0.18.3", sha256: "0".repeat(64) } },
      }),
      // Cilium's tool would have to be downloaded.
      (name) => !/cilium/i.test(name),
    );
  const joinAs = (kind: "worker" | "control-plane") => kubeadmJoin({ name: "k8s-second", address: addresses[1], endpoint: endpoint(), kind });
  const init = (version?: string) => runRole(first, cluster(version), { secrets: SECRETS });
  const admit = () => runRole(first, kubeadmAdmission(), { secrets: SECRETS });
  const join = (kind: "worker" | "control-plane", other: Partial<typeof SECRETS & { KUBEADM_CA_HASH: string }> = {}) => {
    const { KUBEADM_TOKEN, KUBEADM_CERTIFICATE_KEY, KUBEADM_CA_HASH } = { ...SECRETS, KUBEADM_CA_HASH: authorityHash(clusterCa(adminKubeconfig())), ...other };
    const secrets = { KUBEADM_TOKEN, KUBEADM_CA_HASH, ...(kind === "worker" ? {} : { KUBEADM_CERTIFICATE_KEY }) };
    return runRole(second, joinAs(kind), { secrets });
  };
  const onHost = async (host: RealHost, script: string, stdin = ""): Promise<string> => {
    const { stdout, stderr } = await host.run(`sudo -n sh -c '${script}'`, { stdin });
    return `${stdout}${stderr}`;
  };

  const adminKubeconfig = () => fs.readFileSync(path.join(first.root, "etc/kubernetes/admin.conf"), "utf8");
  /** kubectl from outside the hosts, with the administrator's kubeconfig in the form that a stack outputs. */
  const kubectl = (...args: string[]): string => {
    const file = path.join(real.folder, "kubeconfig");
    fs.writeFileSync(file, renameKubeconfig(adminKubeconfig(), "real", `https://${first.address}:6443`), { mode: 0o600 });
    return execFileSync(pathOf("kubectl"), ["--kubeconfig", file, ...args], { encoding: "utf8" });
  };
  const stored = (name: string) => secretSchema.parse(JSON.parse(kubectl("-n", "kube-system", "get", "secret", name, "-o", "json")));
  /** Minutes until the stored token expires. */
  const minutesLeft = (): number => (Date.parse(Buffer.from(stored(STORED_TOKEN).data["expiration"] ?? "", "base64").toString()) - Date.now()) / 60_000;

  /** Files with a secret, except etcd's, in which the API stores its Secrets. */
  const filesWithSecrets = (host: RealHost): Promise<string> =>
    onHost(host, "grep -rlF -f - /etc /home /opt /root /run /srv /tmp /usr/local /var --exclude-dir=etcd", `${SECRET_WORDS.join("\n")}\n`);
  const expectNoTrace = async (host: RealHost) => {
    // /root/kubeadm/configuration is the test's own copy. It shows that the search works.
    expect(await filesWithSecrets(host)).toBe("/root/kubeadm/configuration\n");
    const processes = `${seen(host, "processes")}${await onHost(host, "ps axww -o args")}`;
    expect(processes).toContain("hl_apply_");
    for (const word of SECRET_WORDS) expect([word, processes.includes(word), seen(host, "log").includes(word)]).toEqual([word, false, false]);
    expect(await onHost(host, "ls -A /run/homelab")).not.toContain("yaml");
    expect(seen(host, "modes")).toBe("600 root\n700 root\n");
  };

  const expectAnswers = async (answers: readonly KubeadmAnswer[]) => {
    for (const { command, output, exitCode } of answers)
      expect([command, await onHost(first, `${command} 2>&1; echo " $?"`)]).toEqual([command, `${output} ${exitCode}\n`]);
  };

  test("kubeadm-node: the kubelet's unit is enabled, and kubeadm is of the version", async () => {
    const node = (version: string) => keep(kubeadmNode({ version }), (name) => !LEFT_OUT.test(name));
    for (const host of real.hosts) expect(await runRole(host, node(VERSION))).toMatchObject({ exitCode: 0, stderr: "" });
    expect((await runRole(first, node(VERSION))).summary?.changed).toBe(0);
    expect(lastOf(await runRole(first, node("1.33.0")))).toBe("failed kubeadm answers with its version: kubeadm says it is v1.34.2");
  });

  test("a version that kubeadm does not make is refused; after that, and after an init that was cut, the next run resets the host and goes on", async () => {
    const refused = await init("1.30.0");
    expect(lastOf(refused)).toMatch(
      /^failed cluster initialised: [\s\S]*this version of kubeadm only supports deploying clusters with the control plane version >= 1\.33\.0/,
    );
    const cut = init();
    await untilPrinted(first, "[wait-control-plane]");
    await onHost(first, "pkill -KILL -x kubeadm");
    expect(lastOf(await cut)).toMatch(/^failed cluster initialised: [\s\S]*Killed$/);
    expect(await init()).toMatchObject({ exitCode: 0, operations: expect.arrayContaining(["changed cluster initialised"]) });
    expect(seen(first, "calls")).toMatch(
      /\nreset -f\ninit --config \/run\/homelab\/kubeadm\.yaml --upload-certs --skip-token-print --skip-certificate-key-print\n$/,
    );
    await expectNoTrace(first);
  });

  test("init took the configuration as it was meant, a second run changes nothing, and the kubeconfig opens the API from elsewhere", async () => {
    expect(seen(first, "validation")).toBe("ok\n");
    expect((await init()).summary).toEqual({ changed: 0, unchanged: 3 });
    expect(await onHost(first, 'stat -c "%a %U" /etc/kubernetes/admin.conf')).toBe("600 root\n");
    expect(kubectl("get", "nodes", "-o", "jsonpath={.items[*].metadata.name} {.items[*].spec.taints[*].key}")).toMatch(/^k8s-first (?!.*control-plane)/);
    const configuration = kubectl("-n", "kube-system", "get", "configmap", "kubeadm-config", "-o", "jsonpath={.data.ClusterConfiguration}");
    for (const line of [
      "clusterName: real",
      `controlPlaneEndpoint: ${endpoint()}`,
      `kubernetesVersion: v${VERSION}`,
      "podSubnet: 10.244.0.0/16",
      "- api.homelab.test",
    ])
      expect(configuration).toContain(line);
  });

  test("the strict check of configurations notices what is wrong", async () => {
    const text = seen(first, "configuration");
    const check = (changed: string) =>
      onHost(first, "cat >/root/changed.yaml; /usr/bin/kubeadm config validate --config /root/changed.yaml; rm /root/changed.yaml", changed);
    expect(await check(text)).toBe("ok\n");
    expect(await check(text.replace("podSubnet", "podSubnets"))).toContain('unknown field "networking.podSubnets"');
    expect(await check(text.replace("10.244.0.0/16", "10.244.0.0"))).toContain("podSubnet: Invalid value");
    expect(await check(text.replace("hlreal.", "hl.real."))).toContain("the bootstrap token");
  });

  test("the hash of the authority is the one that kubeadm and OpenSSL say", async () => {
    const ours = authorityHash(clusterCa(adminKubeconfig()));
    expect(authorityHash(fs.readFileSync(path.join(first.root, "etc/kubernetes/pki/ca.crt"), "utf8"))).toBe(ours);
    expect(await onHost(first, "/usr/bin/kubeadm token create --ttl 1m --print-join-command")).toContain(`--discovery-token-ca-cert-hash ${ours} `);
    const digest = "openssl x509 -pubkey -noout -in /etc/kubernetes/pki/ca.crt | openssl pkey -pubin -outform der | sha256sum";
    expect(`sha256:${(await onHost(first, digest)).slice(0, 64)}`).toBe(ours);
  });

  test("admission brings token and certificates in, leaves them while they are young, and renews them", async () => {
    kubectl("-n", "kube-system", "delete", "secret", STORED_TOKEN, "kubeadm-certs");
    expect(await admit()).toMatchObject({ exitCode: 0, operations: ["ok kubernetes API ready", "changed nodes can join"] });
    expect(seen(first, "validation")).toBe("ok\n");
    expect(seen(first, "configuration")).toContain(`kubernetesVersion: "v${VERSION}"`);
    expect(minutesLeft()).toBeGreaterThan(29);
    expect(minutesLeft()).toBeLessThanOrEqual(30);
    const certificates = stored("kubeadm-certs");
    expect(Object.keys(certificates.data).toSorted()).toEqual(
      ["ca.crt", "ca.key", "etcd-ca.crt", "etcd-ca.key", "front-proxy-ca.crt", "front-proxy-ca.key", "sa.key", "sa.pub"].toSorted(),
    );
    const expiration = stored(STORED_TOKEN).data["expiration"];
    expect(await admit()).toMatchObject({ exitCode: 0, operations: ["ok kubernetes API ready", "ok nodes can join"] });
    expect(stored(STORED_TOKEN).data["expiration"]).toBe(expiration);

    await onHost(first, "echo 0 >/run/homelab/kubeadm.admitted");
    expect(lastOf(await admit())).toBe("changed nodes can join");
    expect(stored(STORED_TOKEN).data["expiration"]).not.toBe(expiration);
    expect(stored("kubeadm-certs").metadata.resourceVersion).not.toBe(certificates.metadata.resourceVersion);
    await expectNoTrace(first);
  });

  test("nothing of it asks the internet for a version", () => {
    expect(seen(first, "log")).not.toContain("dl.k8s.io");
  });

  test("a token that is gone is noticed, whatever the mark says", async () => {
    kubectl("-n", "kube-system", "delete", "secret", STORED_TOKEN);
    expect(lastOf(await admit())).toBe("changed nodes can join");
    expect(minutesLeft()).toBeGreaterThan(29);
  });

  test("another authority than the one that is pinned is refused, and so is a token that nobody brought in", async () => {
    expect(lastOf(await join("worker", { KUBEADM_CA_HASH: `sha256:${"0".repeat(64)}` }))).toMatch(REFUSED_JOINS.authority);
    // By default kubeadm waits five minutes for the token to appear.
    const impatient = `${seen(second, "configuration").replace("hlreal.", "unheld.")}timeouts:\n  discovery: 3s\n`;
    const ignored = "--ignore-preflight-errors=SystemVerification";
    const refused = await onHost(second, `cat >/root/join.yaml; /usr/bin/kubeadm join --config /root/join.yaml ${ignored}; rm /root/join.yaml`, impatient);
    expect(REFUSED_JOINS.token.exec(refused)?.[1]).toBe("unheld");
    expect(await onHost(second, "ls /etc/kubernetes")).not.toContain("kubelet.conf");
  });

  test("a worker joins with the token alone, and a second run changes nothing", async () => {
    expect(await join("worker")).toMatchObject({ exitCode: 0, operations: expect.arrayContaining(["changed joined as worker"]) });
    expect(seen(second, "validation")).toBe("ok\n");
    expect((await join("worker")).summary?.changed).toBe(0);
    await expectAnswers(kubeadmAnswers({ nodes: ["k8s-first", "k8s-second"], version: VERSION, token: "hlreal" }));
    expect(kubectl("get", "csr", "-o", "jsonpath={.items[*].spec.username} {.items[*].status.conditions[*].type}")).toContain(
      "system:bootstrap:hlreal Approved",
    );
    await expectNoTrace(second);
  });

  test("a control plane that was cut as a member of etcd is not reset before its node is registered, which would end the cluster", async () => {
    await onHost(second, "/usr/bin/kubeadm reset -f; rm /root/kubeadm/printed; touch /root/kubeadm/printed; mv /usr/bin/kube-controller-manager /root");
    fs.writeFileSync(path.join(second.root, "usr/bin/kube-controller-manager"), "#!/bin/sh\nexec sleep 100000\n", { mode: 0o755 });
    kubectl("delete", "node", "k8s-second");
    const joining = join("control-plane");
    await untilPrinted(second, "[download-certs]");
    // Stops the controller that signs the kubelet's certificate.
    await onHost(first, "pkill -STOP -f ^kube-controller-manager");
    await untilPrinted(second, "Waiting for the kubelet to perform the TLS Bootstrap");
    await onHost(second, "pkill -KILL -x kubeadm");
    expect(lastOf(await joining)).toBe("failed joined as control-plane: Killed");
    const refused = await join("control-plane");
    expect(lastOf(refused)).toMatch(/nodes "k8s-second" not found\nthis host is a member of the cluster's etcd/);
    expect(kubectl("get", "--raw", "/readyz")).toBe("ok");

    await onHost(first, "pkill -CONT -f ^kube-controller-manager");
    await onHost(second, "mv /root/kube-controller-manager /usr/bin/; pkill -x sleep");
    const registered = "until kubectl --kubeconfig /etc/kubernetes/admin.conf get node k8s-second -o name; do sleep 1; done 2>/dev/null";
    expect(await onHost(first, `timeout 60 sh -c "${registered}"`)).toBe("node/k8s-second\n");
  });

  test("a control plane joins with the certificates, and serves the API; what the try before left is taken out first", async () => {
    const calls = seen(second, "calls");
    expect(await join("control-plane")).toMatchObject({ exitCode: 0, operations: expect.arrayContaining(["changed joined as control-plane"]) });
    expect(await onHost(first, 'grep -c "removed member" /var/log/etcd.log')).toBe("1\n");
    expect(seen(second, "calls").slice(calls.length)).toBe("reset -f\njoin --config /run/homelab/kubeadm.yaml\n");
    expect(seen(second, "validation")).toBe("ok\n");
    expect((await join("control-plane")).summary?.changed).toBe(0);
    const its = "kubectl --kubeconfig /etc/kubernetes/admin.conf";
    expect(await onHost(second, `${its} config view -o jsonpath={.clusters[0].cluster.server}; ${its} get --raw /readyz; ${its} get nodes -o name`)).toBe(
      `https://${endpoint()}oknode/k8s-first\nnode/k8s-second\n`,
    );
    expect(await onHost(second, `${its} --server https://${addresses[1]}:6443 get --raw /readyz`)).toBe("ok");
    await expectNoTrace(second);
  });

  test("without the API kubectl says so, and admission waits for it", async () => {
    await onHost(first, "systemctl stop kubelet");
    await expectAnswers(kubeadmAnswersWithoutApi(endpoint()));
    const [run] = await Promise.all([admit(), onHost(first, "sleep 3; systemctl start kubelet")]);
    expect(run).toMatchObject({ exitCode: 0, operations: ["changed kubernetes API ready", "ok nodes can join"] });
    expect((await init()).summary).toEqual({ changed: 0, unchanged: 3 });
  });
});

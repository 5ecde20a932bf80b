import { combineRoles, kubeadmAdmission, kubeadmJoin, kubeadmNode } from "../../ansible-replacements";
import { K3S, KUBERNETES } from "../../ansible-replacements/pins";
import { type KubeadmAnswer, kubeadmAnswers, kubeadmAnswersWithoutApi, REFUSED_JOINS } from "../support/kubeadm-answers";
import { ADDRESS, kubeadmFirst, SECRETS } from "../support/role-cases";
import { type RoleLab, startRoleLab } from "../support/role-lab";

let lab: RoleLab;
beforeEach(async () => {
  lab = await startRoleLab();
});
afterEach(() => lab.stop());

describe("kubeadm", () => {
  const secrets = { KUBEADM_TOKEN: SECRETS.KUBEADM_TOKEN, KUBEADM_CERTIFICATE_KEY: SECRETS.KUBEADM_CERTIFICATE_KEY };
  const join = (name: string, address: string, kind: "control-plane" | "worker") => kubeadmJoin({ name, address, endpoint: `${ADDRESS}:6443`, kind });

  async function cluster() {
    expect(await lab.run(combineRoles("first", kubeadmNode(), kubeadmFirst()), secrets)).toMatchObject({ exitCode: 0, stderr: "" });
    const state: unknown = JSON.parse(await lab.sh("cat /var/lib/etcd/lab-cluster.json"));
    return { ...secrets, KUBEADM_CA_HASH: (state as { caHash: string }).caHash };
  }

  test("control planes and workers join, a second run changes nothing, and no token stays on a disk", async () => {
    const all = await cluster();
    for (const [name, address, kind] of [
      ["k8s-stg", "192.168.1.13", "control-plane"],
      ["k8s-prod", "192.168.1.14", "worker"],
    ] as const) {
      const host = await lab.addHost(name, address);
      const role = combineRoles("node", kubeadmNode(), join(name, address, kind));
      expect(await lab.runOn(host, role, all)).toMatchObject({ exitCode: 0, stderr: "" });
      expect((await lab.runOn(host, role, all)).summary?.changed).toBe(0);
      expect((await host.run(`sudo -n grep -rl ${SECRETS.KUBEADM_TOKEN} /etc /run /tmp /root /home /var`)).stdout.toString()).toBe("");
    }
    expect(await lab.sh("kubectl --kubeconfig /etc/kubernetes/admin.conf get nodes -o name; stat -c %a /etc/kubernetes/admin.conf")).toBe(
      "node/k8s-dev\nnode/k8s-stg\nnode/k8s-prod\n600\n",
    );
    await lab.ctx.clock.sleep(3_600_000);
    expect((await lab.run(kubeadmFirst(), secrets)).summary?.changed).toBe(0);
    expect(lab.ctx.unhandled.all()).toEqual([]);
  });

  test("a token that ran out is refused, and the first node's admission makes a new one, which it leaves while that is young", async () => {
    const all = await cluster();
    await lab.ctx.clock.sleep(3_600_000);
    const host = await lab.addHost("k8s-stg", "192.168.1.13");
    const role = combineRoles("node", kubeadmNode(), join("k8s-stg", "192.168.1.13", "worker"));
    const refused = await lab.runOn(host, role, all);
    expect(refused.operations.at(-1)).toMatchObject({
      operation: "joined as worker",
      status: "failed",
      stderr: expect.stringMatching(REFUSED_JOINS.token),
    });
    const admitted = async () => (await lab.run(kubeadmAdmission(), secrets)).operations.slice(1);
    expect(await admitted()).toEqual([{ operation: "nodes can join", status: "changed" }]);
    expect(await admitted()).toEqual([{ operation: "nodes can join", status: "ok" }]);
    expect(await lab.sh("ls /run/homelab")).toBe("kubeadm.admitted\n");
    await lab.sh("echo $(($(date +%s) - 901)) | sudo -n tee /run/homelab/kubeadm.admitted");
    expect(await admitted()).toEqual([{ operation: "nodes can join", status: "changed" }]);
    expect(await lab.runOn(host, role, all)).toMatchObject({ exitCode: 0 });
    // Admission without a version of the cluster would make kubeadm ask the internet, which is an unhandled call.
    expect(lab.ctx.unhandled.all()).toEqual([]);
  });

  test("kubectl and kubeadm answer as the real ones do", async () => {
    const { operations, ...first } = kubeadmFirst();
    const role = combineRoles("first", kubeadmNode(), { ...first, operations: operations.filter(({ name }) => !/cilium/i.test(name)) });
    expect(await lab.run(role, secrets)).toMatchObject({ exitCode: 0, stderr: "" });
    const about = { nodes: ["k8s-dev"], version: KUBERNETES.version, token: "abcdef" };
    const answered = async ({ command: line, output, exitCode }: KubeadmAnswer) => {
      expect([line, await lab.sh(`sudo -n ${line} 2>&1; echo " $?"`)]).toEqual([line, `${output} ${exitCode}\n`]);
    };
    for (const answer of kubeadmAnswers(about)) await answered(answer);
    await lab.sh("sudo -n systemctl stop kubelet");
    for (const answer of kubeadmAnswersWithoutApi(`${ADDRESS}:6443`)) await answered(answer);
    expect(lab.ctx.unhandled.all()).toEqual([]);
  });

  test("another authority than the one that is pinned is refused as kubeadm does", async () => {
    const all = await cluster();
    const host = await lab.addHost("k8s-stg", "192.168.1.13");
    const role = combineRoles("node", kubeadmNode(), join("k8s-stg", "192.168.1.13", "worker"));
    const refused = await lab.runOn(host, role, { ...all, KUBEADM_CA_HASH: `sha256:${"0".repeat(64)}` });
    expect(refused.operations.at(-1)).toMatchObject({
      operation: "joined as worker",
      status: "failed",
      stderr: expect.stringMatching(REFUSED_JOINS.authority),
    });
  });

  test("an init that failed half-way is reset and done again; a cluster that others made is not", async () => {
    await lab.run(kubeadmNode());
    lab.ctx.faults.queue({ name: "kubeadm.init-failed", times: 1 });
    const failed = await lab.run(kubeadmFirst(), secrets);
    expect(failed.operations.at(-1)).toMatchObject({
      operation: "cluster initialised",
      status: "failed",
      stderr: expect.stringContaining("wait-control-plane"),
    });
    expect(await lab.sh("ls /run/homelab")).toBe("");
    expect(await lab.run(kubeadmFirst(), secrets)).toMatchObject({ exitCode: 0 });
    await lab.sh("rm -rf /etc/kubernetes/admin.conf");
    const foreign = await lab.run(kubeadmFirst(), secrets);
    expect(foreign.operations.at(-1)?.stderr).toContain("kube-apiserver.yaml already exists");
    expect(await lab.sh("ls /var/lib/etcd")).toBe("lab-cluster.json\n");
  });

  test("a control plane that failed as a member of etcd is not reset before its node is registered", async () => {
    const all = await cluster();
    const host = await lab.addHost("k8s-stg", "192.168.1.13");
    const role = combineRoles("node", kubeadmNode(), join("k8s-stg", "192.168.1.13", "control-plane"));
    lab.ctx.faults.queue({ name: "kubeadm.bootstrap-failed", times: 1 });
    expect((await lab.runOn(host, role, all)).operations.at(-1)?.stderr).toContain("kubelet-wait-bootstrap");
    for (const _try of [1, 2])
      expect((await lab.runOn(host, role, all)).operations.at(-1)?.stderr).toBe(
        'Error from server (NotFound): nodes "k8s-stg" not found\n' +
          "this host is a member of the cluster's etcd, and kubeadm takes it out only once the node k8s-stg is registered; see docs/roles.md, joining",
      );
    expect((await host.run("sudo -n ls /etc/kubernetes/manifests")).stdout.toString()).toBe("etcd.yaml\nkube-apiserver.yaml\n");
    expect(lab.ctx.unhandled.all()).toEqual([]);
  });

  test("packages are of the pinned versions and held", async () => {
    await lab.run(kubeadmNode());
    expect(await lab.sh("apt-mark showhold; dpkg-query -W kubeadm")).toBe("kubeadm\nkubectl\nkubelet\nkubeadm\t1.36.2-1.1\n");
    await lab.sh("apt-get -y --allow-downgrades --allow-change-held-packages install kubeadm=1.36.1-1.1");
    expect((await lab.run(kubeadmNode())).operations.filter(({ status }) => status === "changed").map(({ operation }) => operation)).toEqual([
      "pinned packages kubeadm kubelet kubectl",
    ]);
  });

  test("the default is k3s's Kubernetes, and a node of another minor version keeps its packages", async () => {
    const minorOf = (version: string): string | undefined => /^v?(1\.\d+)\./.exec(version)?.[1];
    expect(minorOf(KUBERNETES.version)).toBe(minorOf(K3S.version));
    await cluster();
    await lab.sh("apt-get -y --allow-downgrades --allow-change-held-packages install kubelet=1.35.4-1.1");
    const { exitCode, operations } = await lab.run(kubeadmNode());
    expect([exitCode, operations.at(-1)]).toEqual([
      1,
      expect.objectContaining({
        operation: "no node of another Kubernetes than 1.36",
        stderr: expect.stringContaining("Name the cluster's version in homelab:kubeadm; kubeadm upgrade raises it, by one minor version at a time"),
      }),
    ]);
    expect(await lab.sh("dpkg-query -W kubelet")).toBe("kubelet\t1.35.4-1.1\n");
  });
});

import { Provider } from "@muhlba91/pulumi-proxmoxve/provider";
import * as pulumi from "@pulumi/pulumi";
import { parse, stringify } from "yaml";
import { k3sServer, kubeadmNode } from "../../ansible-replacements";
import { K3S_KUBECONFIG, mockEngine, only, plain, settle } from "../../tests/support/pulumi-mocks";
import { VM_SPEC } from "../../tests/support/vm-spec";
import { Vm } from "../hosts/vm";
import { K3sCluster } from "./k3s-cluster";
import { KubeadmCluster } from "./kubeadm-cluster";
import { authorityHash, clusterCa, renameKubeconfig } from "./kubeconfig";

describe("a kubeconfig from k3s", () => {
  test("gets the cluster's name and address, and its key stays as it is", () => {
    const renamed = parse(renameKubeconfig(K3S_KUBECONFIG, "dev", "https://192.168.1.12:6443"));
    expect(renamed).toEqual({
      apiVersion: "v1",
      kind: "Config",
      preferences: {},
      "current-context": "dev",
      clusters: [{ name: "dev", cluster: { server: "https://192.168.1.12:6443", "certificate-authority-data": expect.any(String) } }],
      contexts: [{ name: "dev", context: { cluster: "dev", user: "dev" } }],
      // "default" inside the key is data: only names are changed.
      users: [{ name: "dev", user: { "client-certificate-data": "Y2VydA==", "client-key-data": "ZGVmYXVsdA==" } }],
    });
    expect(clusterCa(K3S_KUBECONFIG)).toBe("-----BEGIN CERTIFICATE-----\nlab\n-----END CERTIFICATE-----\n");
  });

  test.each([
    ["empty", ""],
    ["an error page", "<html>"],
    ["cut off", K3S_KUBECONFIG.slice(0, 200)],
    ["with two clusters", K3S_KUBECONFIG.replace("clusters:\n", "clusters:\n- {name: other, cluster: {server: s, certificate-authority-data: x}}\n")],
  ])("that is %s is refused without its text", (_, text) => {
    let thrown: unknown;
    try {
      renameKubeconfig(text, "dev", "https://192.168.1.12:6443");
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ code: "E_KUBECONFIG" });
    expect((thrown as Error).cause).toBeUndefined();
  });
});

test("a cluster is a role, a kubeconfig that is secret, and a provider that uses it", async () => {
  const registered = await mockEngine();
  const vm = new Vm(
    "k8s-dev",
    { spec: VM_SPEC, templateId: 1, user: "suporte", operatorKeys: [], stack: "dev" },
    { providers: { proxmoxve: new Provider("proxmox", {}) } },
  );
  const cluster = new K3sCluster("dev", {
    vm,
    address: "192.168.1.12",
    contextName: "dev",
    access: { user: "suporte", privateKey: pulumi.secret("KEY") },
    role: k3sServer({ address: "192.168.1.12", disable: ["traefik"], localStoragePath: "/mnt/storage" }),
  });
  const kubeconfig = await new Promise<string>((resolve) => {
    cluster.kubeconfig.apply(resolve);
  });
  expect(kubeconfig).toBe(renameKubeconfig(K3S_KUBECONFIG, "dev", "https://192.168.1.12:6443"));
  expect(await pulumi.isSecret(cluster.kubeconfig)).toBe(true);
  expect(await pulumi.isSecret(cluster.ca)).toBe(false);
  await settle(registered);
  const role = only(registered, "command:remote:Command", "dev-k3s-run").inputs;
  expect(String(role["create"])).toContain('node-ip: "192.168.1.12"');
  expect(String(role["create"])).toContain('disable:\n  - "traefik"\ndefault-local-storage-path: "/mnt/storage"\n');
  expect(plain(only(registered, "command:remote:Command", "dev-kubeconfig").inputs)).toMatchObject({
    create: "sudo -n cat /etc/rancher/k3s/k3s.yaml",
    logging: "stderr",
    addPreviousOutputInEnv: false,
    triggers: ["02:00:00:00:00:12"],
  });
  expect(plain(only(registered, "pulumi:providers:kubernetes").inputs["kubeconfig"])).toBe(kubeconfig);
});

test("the role gets the secrets that it asks for, on its standard input", async () => {
  const registered = await mockEngine();
  const vm = new Vm(
    "k8s-dev",
    { spec: VM_SPEC, templateId: 1, user: "suporte", operatorKeys: [], stack: "dev" },
    { providers: { proxmoxve: new Provider("proxmox", {}) } },
  );
  const role = { name: "server", operations: [{ name: "one", check: ["true"], apply: ["true"] }], secrets: ["TOKEN"] };
  const access = { user: "suporte", privateKey: pulumi.secret("KEY") };
  new K3sCluster("dev", { vm, address: "192.168.1.12", contextName: "dev", access, role, secrets: { TOKEN: "s3cret" } });
  await settle(registered);
  expect(plain(only(registered, "command:remote:Command", "dev-k3s-run").inputs["stdin"])).toBe(`${Buffer.from("s3cret").toString("base64")}\n`);
});

/** An authority as kubeadm makes one; its key was thrown away. */
const AUTHORITY = `-----BEGIN CERTIFICATE-----
MIIBgTCCASegAwIBAgIUQqG95BsH4pyriHEk1t6xCPsx2DwwCgYIKoZIzj0EAwIw
FTETMBEGA1UEAwwKa3ViZXJuZXRlczAgFw0yNjExMjcxMjQwMDlaGA8yMTI2MTEw
MzEyNDAwOVowFTETMBEGA1UEAwwKa3ViZXJuZXRlczBZMBMGByqGSM49AgEGCCqG
SM49AwEHA0IABOhC5PmVMnX895LHqqn0Xjnkl1rYyQFlDuOqQTg+Ixv7sNcnbYPG
XCLr+qI14TU9totqcxezYFOkoK4deNA4OLOjUzBRMB0GA1UdDgQWBBSviRPH2Dp8
DvyZX337ln++af7hFTAfBgNVHSMEGDAWgBSviRPH2Dp8DvyZX337ln++af7hFTAP
BgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCIQCTX+kN9LpxDlNJ2W/o
rowViXE8IbY9qyLgLWJQ0yGvVQIgdbc9WNRrv92mBWDqcGRRTUKmCd+Wt8da/nVa
0QnbG58=
-----END CERTIFICATE-----
`;

test("a cluster by kubeadm has its own kubeconfig under the same name, and the hash by which nodes that join know it", async () => {
  const admin = stringify({
    apiVersion: "v1",
    kind: "Config",
    preferences: {},
    clusters: [{ name: "home", cluster: { server: "https://192.168.1.12:6443", "certificate-authority-data": Buffer.from(AUTHORITY).toString("base64") } }],
    contexts: [{ name: "kubernetes-admin@home", context: { cluster: "home", user: "kubernetes-admin" } }],
    "current-context": "kubernetes-admin@home",
    users: [{ name: "kubernetes-admin", user: { "client-certificate-data": "Y2VydA==", "client-key-data": "a2V5" } }],
  });
  const registered = await mockEngine({ files: { "/etc/kubernetes/admin.conf": admin } });
  const vm = new Vm(
    "k8s-dev",
    { spec: VM_SPEC, templateId: 1, user: "suporte", operatorKeys: [], stack: "dev" },
    { providers: { proxmoxve: new Provider("proxmox", {}) } },
  );
  const access = { user: "suporte", privateKey: pulumi.secret("KEY") };
  const cluster = new KubeadmCluster("dev", { vm, address: "192.168.1.12", contextName: "dev", access, role: kubeadmNode() });
  const [kubeconfig, hash] = await new Promise<string[]>((resolve) => {
    pulumi.all([cluster.kubeconfig, cluster.caHash]).apply(resolve);
  });
  expect(parse(kubeconfig ?? "")).toMatchObject({
    "current-context": "dev",
    contexts: [{ name: "dev", context: { cluster: "dev", user: "dev" } }],
    clusters: [{ name: "dev", cluster: { server: "https://192.168.1.12:6443" } }],
    users: [{ name: "dev" }],
  });
  // What `openssl x509 -pubkey -noout | openssl pkey -pubin -outform der | sha256sum` says of it.
  expect(hash).toBe("sha256:11405578e50ce9d239956e5ff5863c6ba599ef15d501d35180d69055da727fa6");
  expect(await pulumi.isSecret(cluster.caHash)).toBe(false);
  await settle(registered);
  expect(registered.map(({ type, name }) => `${type} ${name}`)).toEqual(
    expect.arrayContaining(["homelab:clusters:KubeadmCluster dev", "homelab:hosts:HostRole dev-kubeadm", "pulumi:providers:kubernetes dev-provider"]),
  );
  expect(plain(only(registered, "command:remote:Command", "dev-kubeconfig").inputs)).toMatchObject({
    create: "sudo -n cat /etc/kubernetes/admin.conf",
    logging: "stderr",
  });
});

test("an authority that is no certificate is refused", () => {
  expect(() => authorityHash("-----BEGIN CERTIFICATE-----\nlab\n-----END CERTIFICATE-----\n")).toThrow(expect.objectContaining({ code: "E_KUBECONFIG" }));
});

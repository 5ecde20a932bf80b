import { Provider } from "@muhlba91/pulumi-proxmoxve/provider";
import * as pulumi from "@pulumi/pulumi";
import { parse } from "yaml";
import { k3sServer } from "../../ansible-replacements";
import { K3S_KUBECONFIG, mockEngine, only, plain, settle } from "../../tests/support/pulumi-mocks";
import { VM_SPEC } from "../../tests/support/vm-spec";
import { Vm } from "../hosts/vm";
import { K3sCluster } from "./k3s-cluster";
import { clusterCa, renameKubeconfig } from "./kubeconfig";

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
  const vm = new Vm("k8s-dev", { spec: VM_SPEC, templateId: 1, user: "suporte", operatorKeys: [], stack: "dev" }, new Provider("proxmox", {}));
  const cluster = new K3sCluster("dev", {
    vm,
    address: "192.168.1.12",
    contextName: "dev",
    connection: { user: "suporte", privateKey: pulumi.secret("KEY") },
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
    logging: "none",
    addPreviousOutputInEnv: false,
    triggers: ["02:00:00:00:00:12"],
  });
  expect(plain(only(registered, "pulumi:providers:kubernetes").inputs["kubeconfig"])).toBe(kubeconfig);
});

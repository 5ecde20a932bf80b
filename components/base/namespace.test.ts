import { ConfigMap } from "@pulumi/kubernetes/core/v1/configMap";
import { graphOf, registeredOf } from "../../tests/support/module-build";
import { only } from "../../tests/support/pulumi-mocks";
import { Namespace, type NamespaceArgs } from "./namespace";

const LABELS = { "app.kubernetes.io/managed-by": "homelab" };

test("by itself it is a namespace that is known as ours, and nothing more", async () => {
  const registered = await registeredOf(({ kubernetes }) => {
    new Namespace("shop", { name: "shop", labels: { team: "a" } }, { providers: { kubernetes } });
  });
  expect(graphOf(registered)).toEqual({ "kubernetes:core/v1:Namespace shop-namespace": "given-cluster" });
  expect(only(registered, "kubernetes:core/v1:Namespace").inputs["metadata"]).toEqual({ name: "shop", labels: { ...LABELS, team: "a" } });
});

test("one that is kept stays when its resource goes, with all that is in it", async () => {
  for (const keep of [true, false]) {
    const registered = await registeredOf(({ kubernetes }) => {
      new Namespace("shop", { name: "shop", keep }, { providers: { kubernetes } });
    });
    expect(only(registered, "kubernetes:core/v1:Namespace").retainOnDelete).toBe(keep);
  }
});

test("its rules are objects of their own, in it", async () => {
  const rule = { from: [{ ipBlock: { cidr: "10.0.0.12/32" } }], ports: [{ protocol: "TCP", port: 10250 }] } as const;
  const registered = await registeredOf(({ kubernetes }) => {
    const args: NamespaceArgs = {
      name: "shop",
      podSecurity: "restricted",
      networkPolicy: { ingress: [rule], egress: [] },
      containerDefaults: { cpu: "10m", memory: "64Mi", memoryLimit: "512Mi" },
      quota: { "requests.memory": "2Gi", pods: "20" },
    };
    new Namespace("shop", args, { providers: { kubernetes } });
  });
  expect(graphOf(registered)).toEqual({
    "kubernetes:core/v1:Namespace shop-namespace": "given-cluster",
    "kubernetes:networking.k8s.io/v1:NetworkPolicy shop-flows": "given-cluster after shop-namespace",
    "kubernetes:core/v1:LimitRange shop-defaults": "given-cluster after shop-namespace",
    "kubernetes:core/v1:ResourceQuota shop-quota": "given-cluster after shop-namespace",
  });
  expect(only(registered, "kubernetes:core/v1:Namespace").inputs["metadata"]).toEqual({
    name: "shop",
    labels: { ...LABELS, "pod-security.kubernetes.io/enforce": "restricted" },
  });
  expect(only(registered, "kubernetes:networking.k8s.io/v1:NetworkPolicy").inputs).toMatchObject({
    metadata: { name: "declared-flows", namespace: "shop" },
    spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"], ingress: [rule], egress: [] },
  });
  expect(only(registered, "kubernetes:core/v1:LimitRange").inputs).toMatchObject({
    metadata: { name: "container-defaults", namespace: "shop" },
    spec: { limits: [{ type: "Container", defaultRequest: { cpu: "10m", memory: "64Mi" }, default: { memory: "512Mi" } }] },
  });
  expect(only(registered, "kubernetes:core/v1:ResourceQuota").inputs).toMatchObject({
    metadata: { name: "quota", namespace: "shop" },
    spec: { hard: { "requests.memory": "2Gi", pods: "20" } },
  });
});

test("what is in it comes after its rules, and goes before them", async () => {
  const registered = await registeredOf(({ kubernetes }) => {
    const { namespace } = new Namespace("shop", { name: "shop", networkPolicy: { ingress: [], egress: [] } }, { providers: { kubernetes } });
    new ConfigMap("inside", { metadata: { name: "inside", namespace } }, { provider: kubernetes });
  });
  expect(graphOf(registered)["kubernetes:core/v1:ConfigMap inside"]).toBe("given-cluster after shop-flows, shop-namespace");
});

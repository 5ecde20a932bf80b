import { clusterOffer } from "./distributions";

test("k3s serves routes by its own Traefik, whose pods are found by what its chart gives them", () => {
  expect(clusterOffer("k3s")).toEqual({
    capabilities: ["ingress", "load-balancer", "metrics", "network-policy"],
    storageClasses: ["local-path"],
    ingressClasses: ["traefik"],
    routePods: { namespace: "kube-system", labels: { "app.kubernetes.io/name": "traefik" }, ports: [8000, 8443] },
  });
});

test("what is left out of k3s is not offered, and the rest is", () => {
  expect(clusterOffer("k3s", ["traefik", "local-storage"])).toEqual({
    capabilities: ["load-balancer", "metrics", "network-policy"],
    storageClasses: [],
    ingressClasses: [],
  });
});

test("a cluster by kubeadm has the network policies of Cilium, and nothing else", () => {
  expect(clusterOffer("kubeadm")).toEqual({ capabilities: ["network-policy"], storageClasses: [], ingressClasses: [] });
});

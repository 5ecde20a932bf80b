import { clusterFacts, requestsOf } from "./platform-input";

test("what a cluster has, by who built it", () => {
  expect(clusterFacts({ kubeadm: undefined, k3sDisable: [] })).toMatchObject({
    title: "k3s",
    version: expect.stringMatching(/^v1\.\d+\.\d+\+k3s\d+$/),
    capabilities: ["ingress", "load-balancer", "metrics", "network-policy"],
    storageClasses: ["local-path"],
    ingressClasses: ["traefik"],
  });
  expect(clusterFacts({ kubeadm: undefined, k3sDisable: ["traefik", "servicelb"] })).toMatchObject({
    title: "k3s without traefik and servicelb",
    capabilities: ["metrics", "network-policy"],
    ingressClasses: [],
  });
  expect(clusterFacts({ kubeadm: { version: "1.33.1" } as never, k3sDisable: [] })).toMatchObject({
    title: "kubeadm",
    version: "v1.33.1",
    capabilities: ["network-policy"],
    storageClasses: [],
    ingressClasses: [],
  });
});

test("an application's own number of replicas goes before the stack's, and says what it asks for", () => {
  const app = { image: "registry.example.org/a:1", ports: [] } as never;
  const settings = { appReplicas: 2 } as never;
  expect(requestsOf(app, settings)).toMatchObject({ replicas: 1 });
  expect(requestsOf({ ...(app as object), replicas: 3 } as never, settings)).toMatchObject({ replicas: 3 });
  expect(requestsOf({ ...(app as object), replicas: "settings" } as never, settings)).toMatchObject({ replicas: 2 });
  expect(requestsOf({ ...(app as object), resources: { cpu: "250m", memory: "1Gi" } } as never, settings)).toEqual({ replicas: 1, cpu: "250m", memory: "1Gi" });
});

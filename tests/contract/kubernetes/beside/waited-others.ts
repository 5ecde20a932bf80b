/** When objects other than workloads count as ready: services, load balancers, volume claims, ingresses, accounts and their tokens. */
import { LIMIT, labels, OURS_ALONE, type Waited } from "./waited";

export const WAITED_OTHERS: Waited[] = [
  { title: "a service without pods", type: "core/v1:Service", path: ["api/v1", "services"], spec: { ports: [{ port: 80 }] }, timeout: LIMIT },
  {
    title: "a service that no pod answers for",
    type: "core/v1:Service",
    path: ["api/v1", "services"],
    spec: { selector: labels, ports: [{ port: 80 }] },
    timeout: OURS_ALONE,
  },
  {
    title: "a headless service",
    type: "core/v1:Service",
    path: ["api/v1", "services"],
    spec: { clusterIP: "None", selector: labels, ports: [{ port: 80 }] },
    timeout: LIMIT,
  },
  {
    title: "an external name",
    type: "core/v1:Service",
    path: ["api/v1", "services"],
    spec: { type: "ExternalName", externalName: "a.example" },
    timeout: LIMIT,
  },
  {
    title: "a load balancer without an address",
    type: "core/v1:Service",
    path: ["api/v1", "services"],
    spec: { type: "LoadBalancer", ports: [{ port: 80 }] },
    timeout: LIMIT,
  },
  {
    title: "a load balancer with an address",
    type: "core/v1:Service",
    path: ["api/v1", "services"],
    spec: { type: "LoadBalancer", ports: [{ port: 80 }] },
    status: { loadBalancer: { ingress: [{ ip: "192.0.2.1", ipMode: "VIP" }] } },
  },
  {
    title: "a claim that is bound",
    type: "core/v1:PersistentVolumeClaim",
    path: ["api/v1", "persistentvolumeclaims"],
    spec: { accessModes: ["ReadWriteOnce"], storageClassName: "none", resources: { requests: { storage: "1Gi" } } },
    status: { phase: "Bound" },
  },
  {
    title: "a claim that is pending",
    type: "core/v1:PersistentVolumeClaim",
    path: ["api/v1", "persistentvolumeclaims"],
    spec: { accessModes: ["ReadWriteOnce"], storageClassName: "none", resources: { requests: { storage: "1Gi" } } },
    timeout: LIMIT,
  },
  {
    title: "an ingress with an address",
    type: "networking.k8s.io/v1:Ingress",
    path: ["apis/networking.k8s.io/v1", "ingresses"],
    spec: { defaultBackend: { service: { name: "nobody", port: { number: 80 } } } },
    status: { loadBalancer: { ingress: [{ ip: "192.0.2.1" }] } },
  },
  {
    title: "an ingress without one",
    type: "networking.k8s.io/v1:Ingress",
    path: ["apis/networking.k8s.io/v1", "ingresses"],
    spec: { defaultBackend: { service: { name: "nobody", port: { number: 80 } } } },
    timeout: LIMIT,
  },
  { title: "a service account", type: "core/v1:ServiceAccount", path: ["api/v1", "serviceaccounts"], timeout: LIMIT },
  {
    title: "a token that nobody fills in",
    type: "core/v1:Secret",
    path: ["api/v1", "secrets"],
    more: { type: "kubernetes.io/service-account-token" },
    annotations: { "kubernetes.io/service-account.name": "default" },
    timeout: LIMIT,
  },
];

/** What is refused of a platform before anything is registered. */
import { z } from "zod";
import { defineModule, type Module } from "../../components/platform/module";
import { app, input, K3S, KUBEADM, made, notBuilt, problemsOf, VAULT } from "../../tests/support/platform-input";
import { planPlatform } from "./platform";
import type { PlatformInput } from "./platform-types";

const WITH_ROUTES = { "cert-manager": {}, "cluster-access": {}, "external-secrets": {}, "external-dns": {} };

interface Case {
  given: PlatformInput;
  catalogue?: readonly Module[];
  problems: string[];
}

const CASES: Record<string, Case> = {
  "an unknown module": { given: input({ "cert-manger": {} }), problems: ['dev: there is no module "cert-manger"; did you mean "cert-manager"?'] },
  "an unknown module that is near to none": {
    given: input({ wordpress: {} }, { row: { wordpress: {} } }),
    catalogue: [made("a"), made("b")],
    problems: ['dev: there is no module "wordpress"; the modules are: a, b'],
  },
  "an unknown option": { given: input({ minio: { sise: "10Gi" } }), problems: ['dev: minio: sise: there is no such option; did you mean "size"?'] },
  "an option of a module that has none": {
    given: input({ "external-secrets": { replicas: 2 } }),
    problems: ["dev: external-secrets: replicas: there is no such option; it has none"],
  },
  "an unknown option below an option": {
    given: input({ minio: { buckets: [{ name: "loki", versions: true }] } }),
    problems: ['dev: minio: buckets.0.versions: there is no such option; did you mean "versioning"?'],
  },
  "a value of the wrong type": { given: input({ minio: { size: 10 } }), problems: ["dev: minio: size: Invalid input: expected string, received number"] },
  "a value that is none of a kind": { given: input({ vault: { size: "10 GB" } }), problems: ["dev: vault: size: must be a size such as 10Gi"] },
  "several at once, each named": {
    given: input({ minio: { sise: 1 }, vault: { size: 1 }, vualt: {} }),
    problems: [
      'dev: there is no module "vualt"; did you mean "vault"?',
      'dev: minio: sise: there is no such option; did you mean "size"?',
      "dev: vault: size: Invalid input: expected string, received number",
    ],
  },
  "a need that nobody fills": {
    given: input({ "cluster-access": {} }),
    problems: ["dev: cluster-access: needs vault, which nothing here provides; add vault"],
  },
  "a need that no module fills": {
    given: input({ a: {} }),
    catalogue: [made("a", { needs: ["database"] })],
    problems: ["dev: a: needs database, which nothing here provides; no module does"],
  },
  "a need of the cluster": {
    given: input({ a: {} }, { cluster: KUBEADM }),
    catalogue: [made("a", { cluster: ["load-balancer"] })],
    problems: ["dev: a: needs load-balancer of its cluster, which kubeadm does not have; its cluster has: none"],
  },
  "what the cluster has already": {
    given: input({ a: {}, b: {} }),
    catalogue: [made("a", {}, { brings: ["load-balancer"] }), made("b", {}, { brings: ["ingress"] })],
    problems: ["dev: a: brings load-balancer, which k3s has already; leave out one of them"],
  },
  "two owners of a CRD": {
    given: input({ a: {}, b: {} }),
    catalogue: [made("a", {}, { crds: ["things.example.org"] }), made("b", {}, { crds: ["things.example.org"] })],
    problems: ["dev: b: the custom resource definition things.example.org belongs to a too; it can have one owner"],
  },
  "two owners of a namespace": {
    given: input({ a: {}, b: {} }),
    catalogue: [made("a", { namespaces: ["data"] }), made("b", { namespaces: ["data"] })],
    problems: ["dev: b: the namespace data belongs to a too; it can have one owner"],
  },
  "an application in a module's namespace": {
    given: input({ a: {} }, { applications: [app("shop", [], "data")] }),
    catalogue: [made("a", { namespaces: ["data"] })],
    problems: ["dev: shop: the namespace data belongs to a too; it can have one owner"],
  },
  "a namespace of Kubernetes itself": {
    given: input({ a: {} }),
    catalogue: [made("a", { namespaces: ["kube-system"] })],
    problems: ["dev: a: the namespace kube-system is Kubernetes' own; take another name"],
  },
  "two owners of a host name": {
    given: input({ ...WITH_ROUTES, minio: {} }, { given: VAULT, applications: [app("shop", ["s3.example.org"])] }),
    problems: ["dev: shop: the host name s3.example.org belongs to minio too; it can have one owner"],
  },
  "a host name outside the domain": {
    given: input(WITH_ROUTES, { given: VAULT, applications: [app("shop", ["shop.example.com"])] }),
    problems: ["dev: shop: the host name shop.example.com is outside the domain example.org; take a name below it"],
  },
  "the domain itself, and a name that only ends like it": {
    given: input(WITH_ROUTES, { given: VAULT, applications: [app("shop", ["example.org", "shopexample.org"])] }),
    problems: [
      "dev: shop: the host name example.org is outside the domain example.org; take a name below it",
      "dev: shop: the host name shopexample.org is outside the domain example.org; take a name below it",
    ],
  },
  "a host name that is none": {
    given: input(WITH_ROUTES, { given: VAULT, applications: [app("shop", ["My_Shop.example.org"])] }),
    problems: ["dev: shop: the host name My_Shop.example.org is no name; it consists of a-z, 0-9 and -, with dots between its parts of at most 63 characters"],
  },
  "a host name without a certificate": {
    given: input({ dns: {} }, { applications: [app("shop", ["shop.example.org"])] }),
    catalogue: [made("dns", {}, { provides: ["dns-records"] })],
    problems: ["dev: shop: the host name shop.example.org has no certificate; add cert-manager"],
  },
  "a host name without a record": {
    given: input({ "cert-manager": {} }, { applications: [app("shop", ["shop.example.org"])] }),
    problems: ["dev: shop: the host name shop.example.org has no record, since nothing writes one; add external-dns"],
  },
  "a host name without a route": {
    given: input(WITH_ROUTES, {
      given: VAULT,
      cluster: { ...K3S, title: "k3s without traefik", capabilities: [] },
      applications: [app("shop", ["shop.example.org"])],
    }),
    problems: [
      "dev: shop: the host name shop.example.org has no route, since k3s without traefik serves none; leave the host name out, or add what serves routes",
    ],
  },
  "a storage class that the cluster lacks": {
    given: input({ ...WITH_ROUTES, minio: { storageClass: "longhorn" } }, { given: VAULT }),
    problems: ["dev: minio: the cluster has no storage class longhorn; it has: local-path"],
  },
  "an ingress class that the cluster lacks": {
    given: input({ ...WITH_ROUTES, minio: {} }, { given: VAULT, place: { ...input({}).place, ingressClass: "nginx" } }),
    problems: ["dev: minio: the cluster has no ingress class nginx; it has: traefik"],
  },
  "a pool of addresses over a node's": {
    given: input({ metallb: {} }),
    catalogue: [made("metallb", { addresses: ["10.0.0.10-10.0.0.20"] })],
    problems: ["dev: metallb: the addresses 10.0.0.10-10.0.0.20 hold 10.0.0.12, which is k8s-dev's; take a range without it"],
  },
  "a pool as CIDR over a node's address, and one that meets it": {
    given: input({ a: {}, b: {} }),
    catalogue: [made("a", { addresses: ["10.0.0.8/29"] }), made("b", { addresses: ["10.0.0.15-10.0.0.30"] })],
    problems: [
      "dev: a: the addresses 10.0.0.8/29 hold 10.0.0.12, which is k8s-dev's; take a range without it",
      "dev: b: the addresses 10.0.0.15-10.0.0.30 overlap those of a, 10.0.0.8/29; each address has one owner",
    ],
  },
  "a pool that is no range": {
    given: input({ a: {} }),
    catalogue: [made("a", { addresses: ["10.0.0.30-10.0.0.20"] })],
    problems: ["dev: a: the addresses 10.0.0.30-10.0.0.20 are no range; write first-last, such as 10.0.0.200-10.0.0.220, or CIDR"],
  },
  "a chart for other versions of Kubernetes": {
    given: input({ a: {} }),
    catalogue: [
      made("a", {}, { charts: { a: { repository: "https://charts.example.org", name: "a", version: "1.0.0", why: "of a test", kubeVersion: "<1.36.0-0" } } }),
    ],
    problems: ["dev: a: chart a 1.0.0 is for Kubernetes <1.36.0-0, and the cluster runs v1.36.2+k3s1; take another version of one of them"],
  },
  "a chart's default credential left on": {
    given: input({ a: {} }),
    catalogue: [
      made(
        "a",
        { values: { store: { mode: "standalone" } } },
        { defaultCredentials: [{ path: "users", is: 'a user "console"', off: (users) => Array.isArray(users) && users.length === 0 }] },
      ),
    ],
    problems: ['dev: a: users of the release store leaves the chart\'s default on: a user "console"'],
  },
  "a default credential that everybody knows, deep in the values": {
    given: input({ a: {} }),
    catalogue: [made("a", { values: { store: { users: [{ accessKey: "console", secretKey: "console123" }] } } })],
    problems: ["dev: a: store.users.0.secretKey is the default credential of minio, which everybody knows; put one of your own into secrets/"],
  },
  "a default credential as an option": {
    given: input({ harbor: { password: "Harbor12345" } }),
    catalogue: [defineModule({ name: "harbor", summary: "of a test", options: z.strictObject({ password: z.string() }), parts: () => ({}), build: notBuilt })],
    problems: ["dev: harbor: password is the default credential of harbor, which everybody knows; put one of your own into secrets/"],
  },
  "a secret that secrets/ does not have": {
    given: input({ "cert-manager": {} }, { place: { ...input({}).place, entries: new Map([["cloudflare", ["token"]]]) } }),
    problems: ['dev: cert-manager: reads "api-token" of cloudflare, which secrets/ does not have; add it with homelab secrets set'],
  },
  "a circle": {
    given: input({ a: {}, b: {}, c: {}, d: {} }),
    catalogue: [made("a", { needs: ["c"] }), made("b", { needs: ["a"] }), made("c", { needs: ["b"] }), made("d")],
    problems: ["dev: the modules need each other in a circle: a → c → b → a"],
  },
  "a module that needs itself": {
    given: input({ a: {} }),
    catalogue: [made("a", { needs: ["thing"] }, { provides: ["thing"] })],
    problems: ["dev: the modules need each other in a circle: a → a"],
  },
};

test.each(Object.entries(CASES))("%s is refused, with environment and module", (_, { given, catalogue, problems }) => {
  expect(problemsOf(() => planPlatform(given, catalogue))).toEqual(problems);
});

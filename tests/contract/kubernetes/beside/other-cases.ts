/** Cases beyond objects of the API: patch resources, functions, and objects that were deleted with their namespace (`deletedWith`). */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { Values } from "../../../../providers/sdk/values";
import { MERGE } from "../under-test";
import type { Case, Side } from "./bench";
import { UNAWAITED } from "./type-cases";

const CONFIG_MAP = "kubernetes:core/v1:ConfigMap";

const patches = (title: string, type: string, path: (side: Side) => string, object: Values, patch: Values): Case => ({
  title,
  async run(side) {
    const { plugin, record, api, mark } = side;
    const [apiVersion, kind] = [object["apiVersion"], object["kind"]];
    await api.call("POST", path(side), { apiVersion, kind, ...object, metadata: { name: "patched" } });
    const news = { ...patch, metadata: { name: "patched", namespace: mark, annotations: UNAWAITED, labels: { by: "us" } } };
    // An unsupported type is refused by the first call that the engine makes.
    const made = await record.step("make", plugin.make(type, { ...news, kind: kind ?? "" }));
    if (made === undefined) return;
    await record.step("read", plugin.read(type, made));
    await record.step(
      "delete",
      plugin.delete(type, made).then(() => undefined),
    );
  },
});

const calls = (token: string, args: Values, title = `function ${token}`): Case => ({
  title,
  run: async (side) => void (await side.record.step("invoke", side.plugin.invoke(token, args))),
});

const OBJECTS = `apiVersion: v1
kind: ConfigMap
metadata: { name: a }
data: { a: "1" }
---
apiVersion: v1
kind: List
items:
  - apiVersion: v1
    kind: Namespace
    metadata: { name: b }
---
# nothing
`;

/** Values that YAML readers parse differently. */
const DIALECT = `apiVersion: v1
kind: ConfigMap
metadata: { name: c }
data:
  words: [yes, No, on, OFF, y, n, "yes", true, ~, null, Null]
  numbers: [0755, 0o17, 0x1F, 0b11, 1_000, 1e3, 1.0, .5, +1, -0, 1., 12e03, 190:20:30, 0.1_0, 08, 1.5e-7, 12345678901]
  times: [2001-01-01, 2001-12-14T21:59:43Z, 10:30]
  base: &base { a: 1, b: [x] }
  merged: { <<: *base, b: 2 }
  yes: key
  1: number
  block: |
    one
      two

  folded: >-
    three
    four
---
{ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "json" } }
---
kind: NoVersion
---
apiVersion: v1
kind: ConfigMap
metadata:
`;

export const OTHER_CASES: Case[] = [
  patches(
    "a patch of a config map",
    "kubernetes:core/v1:ConfigMapPatch",
    ({ mark }) => `/api/v1/namespaces/${mark}/configmaps`,
    { apiVersion: "v1", kind: "ConfigMap", data: { a: "1" } },
    { data: { b: "2" } },
  ),
  patches(
    "a patch of a service",
    "kubernetes:core/v1:ServicePatch",
    ({ mark }) => `/api/v1/namespaces/${mark}/services`,
    { apiVersion: "v1", kind: "Service", spec: { ports: [{ port: 80 }] } },
    { spec: { selector: { app: "web" } } },
  ),
  calls("kubernetes:yaml:decode", { text: OBJECTS, defaultNamespace: "default" }),
  calls("kubernetes:yaml:decode", { text: DIALECT }, "yaml:decode of what readers differ in"),
  calls(
    "kubernetes:yaml:decode",
    { text: `${DIALECT}---\napiVersion: example.com/v1\nkind: Nobody\nmetadata: { name: e }\n`, defaultNamespace: "shop" },
    "yaml:decode in a namespace",
  ),
  calls("kubernetes:yaml:decode", { text: "a: [1\n" }, "yaml:decode of what is no YAML"),
  calls("kubernetes:yaml:decode", { text: "- 1\n" }, "yaml:decode of a list"),
  {
    title: "function kubernetes:kustomize:directory",
    async run(side) {
      const directory = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-kustomize-"));
      try {
        fs.writeFileSync(path.join(directory, "kustomization.yaml"), "namespace: default\nresources: [a.yaml]\n");
        fs.writeFileSync(path.join(directory, "a.yaml"), "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\n");
        await side.record.step("invoke", side.plugin.invoke("kubernetes:kustomize:directory", { directory }));
      } finally {
        fs.rmSync(directory, { recursive: true });
      }
    },
  },
  calls("kubernetes:nowhere:nothing", {}),
  {
    title: "what went with its namespace",
    async run(side) {
      const { plugin, record, api } = side;
      const namespace = `gone-${side.mark}`;
      const at = `/api/v1/namespaces/${namespace}`;
      await api.call("POST", "/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
      const made = await plugin.make(CONFIG_MAP, { metadata: { name: "it", namespace, annotations: UNAWAITED }, data: { a: "1" } });
      // As the namespace's controller does it: first its objects, then the namespace itself.
      await api.call("DELETE", at);
      await api.call("DELETE", `${at}/configmaps/it`);
      await api.call("PUT", `${at}/finalize`, { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace }, spec: { finalizers: [] } });
      await record.step("read", plugin.read(CONFIG_MAP, made));
      await record.step(
        "delete",
        plugin.delete(CONFIG_MAP, made).then(() => undefined),
      );
      await record.step("update", plugin.update(CONFIG_MAP, made, { ...made.inputs, data: { a: "2" } }));
    },
  },
  {
    title: "a namespace that is on its way out",
    async run(side) {
      const { plugin, record, api } = side;
      const namespace = `leaving-${side.mark}`;
      const at = `/api/v1/namespaces/${namespace}`;
      const body = { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace, finalizers: ["example.com/held"] } };
      await api.call("POST", "/api/v1/namespaces", body);
      await api.call("DELETE", at);
      const { inputs } = await plugin.check(CONFIG_MAP, { metadata: { name: "it", namespace, annotations: UNAWAITED }, data: { a: "1" } });
      await record.step("create", plugin.create(CONFIG_MAP, inputs));
      await api.call("PATCH", at, { metadata: { finalizers: null } }, { type: MERGE });
    },
  },
];

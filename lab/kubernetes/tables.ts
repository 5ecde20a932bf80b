/** Tables, as `kubectl get` asks for them. */
import { at, isMap, type KubeObject, listAt, mapAt, numberAt, textAt } from "./objects";
import type { ResourceType } from "./resource-types";

interface Column {
  name: string;
  type: string;
  format: string;
  priority: number;
}

const column = (name: string, type = "string", priority = 0, format = ""): Column => ({ name, type, format, priority });
const NAME = column("Name", "string", 0, "name");
const AGE = column("Age");

/** `5s`, `3m`, `2h`, `4d` */
function age(timestamp: string | undefined, now: number): string {
  if (timestamp === undefined) return "<unknown>";
  const seconds = Math.max(0, Math.floor((now - Date.parse(timestamp)) / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7_200) return `${Math.floor(seconds / 60)}m`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)}h` : `${Math.floor(seconds / 86_400)}d`;
}

type Cell = string | number | boolean;
type Printer = { columns: Column[]; cells: (object: KubeObject, now: number) => Cell[] };

const ageOf = (object: KubeObject, now: number): string => age(object.metadata.creationTimestamp, now);
const keys = (value: unknown): number => (isMap(value) ? Object.keys(value).length : 0);
const containers = (object: KubeObject): string =>
  listAt(object, "spec", "template", "spec", "containers")
    .map((c) => String(c["name"]))
    .join(",");
const images = (object: KubeObject): string =>
  listAt(object, "spec", "template", "spec", "containers")
    .map((c) => String(c["image"]))
    .join(",");
const selector = (value: unknown): string =>
  (isMap(value)
    ? Object.entries(value)
        .map(([k, v]) => `${k}=${String(v)}`)
        .join(",")
    : "") || "<none>";

const WIDE = [column("Containers", "string", 1), column("Images", "string", 1), column("Selector", "string", 1)];
const wide = (object: KubeObject): Cell[] => [containers(object), images(object), selector(at(object, "spec", "selector", "matchLabels"))];

function ports(object: KubeObject): string {
  return (
    listAt(object, "spec", "ports")
      .map((p) => `${String(p["port"])}${p["nodePort"] === undefined ? "" : `:${String(p["nodePort"])}`}/${String(p["protocol"] ?? "TCP")}`)
      .join(",") || "<none>"
  );
}

const addresses = (object: KubeObject): string =>
  listAt(object, "status", "loadBalancer", "ingress")
    .map((entry) => String(entry["ip"] ?? entry["hostname"]))
    .join(",");

const MODES: Record<string, string> = { ReadWriteOnce: "RWO", ReadOnlyMany: "ROX", ReadWriteMany: "RWX", ReadWriteOncePod: "RWOP" };
function accessModes(object: KubeObject): string {
  const modes = at(object, "status", "accessModes");
  return Array.isArray(modes) ? modes.map((mode) => MODES[String(mode)] ?? String(mode)).join(",") : "";
}

/** What a pod waits for, or how it ended, before its phase. */
function podStatus(object: KubeObject): string {
  if (object.metadata.deletionTimestamp !== undefined) return "Terminating";
  const states = listAt(object, "status", "containerStatuses").map((status) => mapAt(status, "state"));
  const reasons = states.map((state) => textAt(state, "waiting", "reason") ?? textAt(state, "terminated", "reason"));
  return reasons.find((reason) => reason !== undefined) ?? textAt(object, "status", "phase") ?? "";
}

const EVENT_WIDE = ["Subobject", "Source", "First Seen", "Count", "Name"].map((name) => column(name, "string", 1));

const PRINTERS: Record<string, Printer> = {
  "v1/ConfigMap": { columns: [NAME, column("Data"), AGE], cells: (o, now) => [o.metadata.name, keys(o["data"]) + keys(o["binaryData"]), ageOf(o, now)] },
  "v1/Secret": {
    columns: [NAME, column("Type"), column("Data"), AGE],
    cells: (o, now) => [o.metadata.name, textAt(o, "type") ?? "", keys(o["data"]), ageOf(o, now)],
  },
  "v1/Namespace": { columns: [NAME, column("Status"), AGE], cells: (o, now) => [o.metadata.name, textAt(o, "status", "phase") ?? "", ageOf(o, now)] },
  "v1/Service": {
    columns: [NAME, column("Type"), column("Cluster-IP"), column("External-IP"), column("Port(s)"), AGE, column("Selector", "string", 1)],
    cells: (o, now) => [
      o.metadata.name,
      textAt(o, "spec", "type") ?? "",
      textAt(o, "spec", "clusterIP") ?? "<none>",
      textAt(o, "spec", "type") === "LoadBalancer" ? addresses(o) || "<pending>" : "<none>",
      ports(o),
      ageOf(o, now),
      selector(at(o, "spec", "selector")),
    ],
  },
  "v1/Node": {
    columns: [
      NAME,
      column("Status"),
      column("Roles"),
      AGE,
      column("Version"),
      ...["Internal-IP", "External-IP", "OS-Image", "Kernel-Version", "Container-Runtime"].map((name) => column(name, "string", 1)),
    ],
    cells: (o, now) => [
      o.metadata.name,
      listAt(o, "status", "conditions").some((c) => c["type"] === "Ready" && c["status"] === "True") ? "Ready" : "NotReady",
      "control-plane",
      ageOf(o, now),
      textAt(o, "status", "nodeInfo", "kubeletVersion") ?? "",
      String(listAt(o, "status", "addresses").find((each) => each["type"] === "InternalIP")?.["address"] ?? "<none>"),
      "<none>",
      ...["osImage", "kernelVersion", "containerRuntimeVersion"].map((key) => textAt(o, "status", "nodeInfo", key) ?? "<unknown>"),
    ],
  },
  "v1/Pod": {
    columns: [
      NAME,
      column("Ready"),
      column("Status"),
      column("Restarts"),
      AGE,
      ...["IP", "Node", "Nominated Node", "Readiness Gates"].map((name) => column(name, "string", 1)),
    ],
    cells: (o, now) => {
      const statuses = listAt(o, "status", "containerStatuses");
      return [
        o.metadata.name,
        `${statuses.filter((s) => s["ready"] === true).length}/${listAt(o, "spec", "containers").length}`,
        podStatus(o),
        "0",
        ageOf(o, now),
        textAt(o, "status", "podIP") ?? "<none>",
        textAt(o, "spec", "nodeName") ?? "<none>",
        "<none>",
        "<none>",
      ];
    },
  },
  "apps/v1/Deployment": {
    columns: [NAME, column("Ready"), column("Up-to-date"), column("Available"), AGE, ...WIDE],
    cells: (o, now) => [
      o.metadata.name,
      `${numberAt(o, "status", "readyReplicas") ?? 0}/${numberAt(o, "spec", "replicas") ?? 0}`,
      numberAt(o, "status", "updatedReplicas") ?? 0,
      numberAt(o, "status", "availableReplicas") ?? 0,
      ageOf(o, now),
      ...wide(o),
    ],
  },
  "apps/v1/StatefulSet": {
    columns: [NAME, column("Ready"), AGE, column("Containers", "string", 1), column("Images", "string", 1)],
    cells: (o, now) => [
      o.metadata.name,
      `${numberAt(o, "status", "readyReplicas") ?? 0}/${numberAt(o, "spec", "replicas") ?? 0}`,
      ageOf(o, now),
      containers(o),
      images(o),
    ],
  },
  "apps/v1/ReplicaSet": {
    columns: [NAME, column("Desired"), column("Current"), column("Ready"), AGE, ...WIDE],
    cells: (o, now) => [
      o.metadata.name,
      numberAt(o, "spec", "replicas") ?? 0,
      numberAt(o, "status", "replicas") ?? 0,
      numberAt(o, "status", "readyReplicas") ?? 0,
      ageOf(o, now),
      ...wide(o),
    ],
  },
  "batch/v1/Job": {
    columns: [NAME, column("Status"), column("Completions"), column("Duration"), AGE, ...WIDE],
    cells: (o, now) => [
      o.metadata.name,
      String(
        listAt(o, "status", "conditions").find((c) => c["status"] === "True" && ["Complete", "Failed", "Suspended"].includes(String(c["type"])))?.["type"] ??
          "Running",
      ),
      `${numberAt(o, "status", "succeeded") ?? 0}/${numberAt(o, "spec", "completions") ?? 1}`,
      age(textAt(o, "status", "startTime"), Date.parse(textAt(o, "status", "completionTime") ?? new Date(now).toISOString())),
      ageOf(o, now),
      ...wide(o),
    ],
  },
  "v1/PersistentVolumeClaim": {
    columns: [
      NAME,
      column("Status"),
      column("Volume"),
      column("Capacity"),
      column("Access Modes"),
      column("StorageClass"),
      AGE,
      column("VolumeMode", "string", 1),
    ],
    cells: (o, now) => [
      o.metadata.name,
      textAt(o, "status", "phase") ?? "",
      textAt(o, "spec", "volumeName") ?? "",
      textAt(o, "status", "capacity", "storage") ?? "",
      accessModes(o),
      textAt(o, "spec", "storageClassName") ?? "",
      ageOf(o, now),
      textAt(o, "spec", "volumeMode") ?? "<unset>",
    ],
  },
  "v1/Event": {
    columns: [column("Last Seen"), column("Type"), column("Reason"), column("Object"), ...EVENT_WIDE.slice(0, 2), column("Message"), ...EVENT_WIDE.slice(2)],
    cells: (o, now) => [
      age(textAt(o, "lastTimestamp"), now),
      textAt(o, "type") ?? "",
      textAt(o, "reason") ?? "",
      `${(textAt(o, "involvedObject", "kind") ?? "").toLowerCase()}/${textAt(o, "involvedObject", "name") ?? ""}`,
      textAt(o, "involvedObject", "fieldPath") ?? "",
      [textAt(o, "source", "component"), textAt(o, "source", "host")].filter((part) => part !== undefined).join(", "),
      textAt(o, "message") ?? "",
      age(textAt(o, "firstTimestamp"), now),
      numberAt(o, "count") ?? 1,
      o.metadata.name,
    ],
  },
  "networking.k8s.io/v1/Ingress": {
    columns: [NAME, column("Class"), column("Hosts"), column("Address"), column("Ports"), AGE],
    cells: (o, now) => [
      o.metadata.name,
      textAt(o, "spec", "ingressClassName") ?? "<none>",
      listAt(o, "spec", "rules")
        .map((r) => String(r["host"] ?? "*"))
        .join(","),
      addresses(o),
      listAt(o, "spec", "tls").length > 0 ? "80, 443" : "80",
      ageOf(o, now),
    ],
  },
};

/** The columns that a custom resource's definition declares. */
function customPrinter(type: ResourceType): Printer {
  const version = listAt(type.crd, "spec", "versions").find((v) => v["name"] === type.version);
  const declared = listAt(version, "additionalPrinterColumns");
  if (declared.length === 0) return { columns: [NAME, AGE], cells: (o, now) => [o.metadata.name, ageOf(o, now)] };
  const path = (expression: unknown, object: KubeObject): unknown => {
    const text = String(expression);
    const condition = /^\.status\.conditions\[\?\(@\.type\s*==\s*"([^"]+)"\)\]\.(\w+)$/.exec(text);
    if (condition) return listAt(object, "status", "conditions").find((c) => c["type"] === condition[1])?.[condition[2] ?? ""];
    return at(object, ...text.replace(/^\./, "").split("."));
  };
  return {
    columns: [NAME, ...declared.map((c) => column(String(c["name"]), String(c["type"] ?? "string"), typeof c["priority"] === "number" ? c["priority"] : 0))],
    cells: (o, now) => [
      o.metadata.name,
      ...declared.map((c) => {
        const value = path(c["jsonPath"], o);
        if (c["type"] === "date") return age(typeof value === "string" ? value : undefined, now);
        return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? (c["type"] === "string" ? String(value) : value) : "";
      }),
    ],
  };
}

export function table(type: ResourceType, objects: readonly KubeObject[], metadata: Record<string, unknown>, now: number): Record<string, unknown> {
  const apiVersion = type.group === "" ? type.version : `${type.group}/${type.version}`;
  const printer =
    type.crd !== undefined
      ? customPrinter(type)
      : (PRINTERS[`${apiVersion}/${type.kind}`] ?? { columns: [NAME, column("Age")], cells: (o: KubeObject, at: number) => [o.metadata.name, ageOf(o, at)] });
  return {
    kind: "Table",
    apiVersion: "meta.k8s.io/v1",
    metadata,
    columnDefinitions: printer.columns,
    rows: objects.map((object) => ({ cells: printer.cells(object, now), object: partial(object) })),
  };
}

export const partial = (object: KubeObject): Record<string, unknown> => ({
  kind: "PartialObjectMetadata",
  apiVersion: "meta.k8s.io/v1",
  metadata: mapAt(object, "metadata"),
});

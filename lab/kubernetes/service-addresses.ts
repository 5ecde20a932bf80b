/** Cluster addresses of services. */
import { type KubeObject, listAt, mapAt, textAt } from "./objects";

/** Gives a service its cluster address: the first free one of k3s's range. */
export function allocateAddress(service: KubeObject, services: readonly KubeObject[]): void {
  const spec = mapAt(service, "spec");
  if (spec["type"] === "ExternalName" || spec["clusterIP"] !== undefined) {
    if (spec["clusterIP"] !== undefined && spec["clusterIPs"] === undefined) spec["clusterIPs"] = [spec["clusterIP"]];
    return;
  }
  const taken = new Set(services.map((other) => textAt(other, "spec", "clusterIP")));
  let n = 10;
  while (taken.has(`10.43.${n >> 8}.${n & 255}`)) n++;
  spec["clusterIP"] = `10.43.${n >> 8}.${n & 255}`;
  spec["clusterIPs"] = [spec["clusterIP"]];
}

/** Addresses and ports that the server assigned stay when a writer leaves them out. */
export function keepAllocated(object: KubeObject, old: KubeObject): void {
  const spec = mapAt(object, "spec");
  const before = mapAt(old, "spec");
  for (const key of ["clusterIP", "clusterIPs", "healthCheckNodePort"])
    if (spec[key] === undefined && before[key] !== undefined && spec["type"] !== "ExternalName") spec[key] = before[key];
  for (const port of listAt(spec, "ports")) {
    const same = listAt(before, "ports").find((other) => other["port"] === port["port"] && other["protocol"] === port["protocol"]);
    if (port["nodePort"] === undefined && same?.["nodePort"] !== undefined) port["nodePort"] = same["nodePort"];
  }
}

import { loadHomelab } from "../../tests/support/homelab";
import { parseStackConfigFile } from "../load/settings";
import { isProtected } from "./protection";

const { vms } = loadHomelab();
const protectedBy = (settings: string): string[] => {
  const config = parseStackConfigFile("f", `config:\n  homelab:acmeEmail: a@b.pw\n${settings}`);
  return [...vms.values()].filter((spec) => isProtected(spec, config)).map(({ name }) => name);
};

test("what holds data is protected, and a name releases exactly that VM", () => {
  expect(protectedBy("")).toEqual(["k8s-home", "k8s-tools"]);
  expect(protectedBy("  homelab:replaceVms: [k8s-home]\n")).toEqual(["k8s-tools"]);
  expect(protectedBy("  homelab:replaceVms: ['*']\n")).toEqual([]);
});

test("a stack can protect all of its VMs, with the same way out", () => {
  expect(protectedBy("  homelab:protectVms: true\n  homelab:replaceVms: [dns]\n")).toEqual([...vms.keys()].filter((name) => name !== "dns"));
});

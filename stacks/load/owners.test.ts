import { HOMELAB, loadHomelab } from "../../tests/support/homelab";
import type { VmDuty } from "../define/stacks";
import { checkOwners } from "./owners";
import { type LoadedStack, vmNames } from "./stacks";

const { stacks } = loadHomelab();
const names = stacks.flatMap(vmNames);
const withVms = (name: string, vms: Record<string, VmDuty>): LoadedStack[] =>
  stacks.map((stack) => (stack.name === name ? { ...stack, duties: new Map(Object.entries(vms)) } : stack));

test("every VM has one stack, and every stack's VM a file", () => {
  expect(() => checkOwners(names, stacks, HOMELAB)).not.toThrow();
  expect(() => checkOwners([...names, "k8s-new"], stacks, HOMELAB)).toThrow("site/vms/k8s-new.yaml belongs to no stack");
  expect(() =>
    checkOwners(
      names.filter((name) => name !== "k8s-dev"),
      stacks,
      HOMELAB,
    ),
  ).toThrow('stack "dev" has the VM "k8s-dev", and there is no site/vms/k8s-dev.yaml');
  expect(() => checkOwners(names, withVms("dev", { "k8s-dev": "cluster", dns: "host" }), HOMELAB)).toThrow('the VM "dns" belongs to the stacks tools and dev');
});

test.each([
  ["no VM for its cluster", "dev", { "k8s-dev": "host" }, 'the stack "dev" has no VM for its cluster'],
  ["two of them", "dev", { "k8s-dev": "cluster", other: "cluster" }, 'the stack "dev" has two VMs for its cluster: k8s-dev and other'],
  ["a second name server", "dev", { "k8s-dev": "cluster", other: "dns" }, 'the VMs dns and other both have the duty "dns"'],
] as const)("a stack with %s is refused", (_, name, vms, message) => {
  expect(() =>
    checkOwners(
      [...names, "other"].filter((vm) => vm in vms || vm !== "other"),
      withVms(name, vms),
      HOMELAB,
    ),
  ).toThrow(expect.objectContaining({ code: "E_VM_DUTY", message: expect.stringContaining(message) }));
});

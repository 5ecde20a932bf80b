import { protectedVmHint } from "./protected-vm";

const URN = "urn:pulumi:home::homelab::homelab:hosts:Vm$proxmoxve:index/vmLegacy:VmLegacy::k8s-home-vm";

test.each([
  `unable to replace resource "${URN}"\nas it is currently marked for protection. To unprotect the resource, remove the \`protect\` flag`,
  `resource "${URN}" cannot be deleted\nbecause it is protected. To unprotect the resource, either remove the \`protect\` flag`,
])("a protected VM comes with the setting that releases it", (error) => {
  expect(protectedVmHint(["another error", error])).toBe(
    "k8s-home holds data or is protected by its stack. To lose its disks, name it in homelab:replaceVms of the stack's settings, run up, and take the name out again (docs/vms.md)",
  );
});

test.each([
  "Proxmox: POST nodes/node03/qemu/9003/clone: 500",
  'unable to replace resource "urn:pulumi:dev::homelab::kubernetes:core/v1:Namespace::apps-vm"\nas it is currently marked for protection.',
])("other errors have no such hint", (error) => {
  expect(protectedVmHint([error])).toBeUndefined();
});

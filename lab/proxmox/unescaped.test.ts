import { unescaped } from "./unescaped";
import { guestSpec } from "./vm-config";

test.each([
  ["local%3Aiso%2Fx.iso", "local:iso/x.iso"],
  ["%ZZ%41%", "%ZZA%"],
  ["%C3%A9 %c3", "é %c3"],
])("%s is read as Proxmox reads it", (text, read) => {
  expect(unescaped(text)).toBe(read);
});

test("a VM with keys that are no encoding boots, with the keys as they are", () => {
  const vm = { vmid: 100, node: "node03", status: "stopped", config: { sshkeys: "ssh-ed25519%20AAAA%ZZ%0Assh-ed25519%20BBBB" } };
  expect(guestSpec(vm as unknown as Parameters<typeof guestSpec>[0], 1024 ** 3).authorizedKeys).toEqual(["ssh-ed25519 AAAA%ZZ", "ssh-ed25519 BBBB"]);
});

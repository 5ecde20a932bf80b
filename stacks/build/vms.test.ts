import { withOwnKey } from "./vms";

test.each([
  [["ssh-ed25519 A me"], "ssh-ed25519 B", ["ssh-ed25519 A me", "ssh-ed25519 B"]],
  [[], "ssh-ed25519 B", ["ssh-ed25519 B"]],
  [["ssh-ed25519 B me", "ssh-ed25519 A"], "ssh-ed25519 B", ["ssh-ed25519 B me", "ssh-ed25519 A"]],
  [["ssh-ed25519 B"], "ssh-ed25519 B", ["ssh-ed25519 B"]],
  [["ssh-ed25519 BB"], "ssh-ed25519 B", ["ssh-ed25519 BB", "ssh-ed25519 B"]],
  [["ssh-ed25519 A"], undefined, ["ssh-ed25519 A"]],
])("operators %j and the homelab's own key %s may log in: %j", (operators, own, expected) => {
  expect(withOwnKey(operators, own)).toEqual(expected);
});

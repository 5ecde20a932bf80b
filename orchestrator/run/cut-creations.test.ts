import { looksForCut } from "./cut-creations";

test.each([
  ["up", "real", undefined, true],
  ["up", "real", "succeeded", true],
  ["refresh", "real", "succeeded", true],
  ["destroy", "real", undefined, true],
  ["preview", "real", "in doubt", false],
  ["preview-destroy", "real", "in doubt", false],
  ["up", "lab", undefined, false],
  ["up", "lab", "succeeded", false],
  ["up", "lab", "failed", true],
  ["up", "lab", "cancelled", true],
  ["destroy", "lab", "in doubt", true],
] as const)("%s of the %s homelab, where this machine's runs left the stack as %s: cut creations are looked for: %s", (operation, site, standing, looks) => {
  expect(looksForCut(operation, site, standing)).toBe(looks);
});

import { command } from "../operations/commands";
import { packages } from "../operations/packages";
import type { Role } from "../role";

/** What every Debian or Ubuntu host has: a finished first boot, the packages that other roles use, and the guest agent. */
export const base: Role = {
  name: "base",
  operations: [
    command(
      "first boot finished",
      "[ ! -x /usr/bin/cloud-init ] || cloud-init status 2>/dev/null | grep -q -e 'status: done' -e 'status: disabled'",
      // Its exit code 2 means that it finished with warnings.
      "{ cloud-init status --wait >/dev/null; [ $? -ne 1 ]; }",
    ),
    // The unit of the guest agent cannot be enabled: the device that Proxmox adds starts it. So only its package is managed.
    packages("curl", "ca-certificates", "qemu-guest-agent"),
  ],
};

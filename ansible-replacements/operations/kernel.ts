import { quote } from "../../common/quote";
import type { Operation } from "../role";
import { file } from "./files";

/** Modules that are loaded now and at each start. @param name of the file below /etc/modules-load.d */
export function kernelModules(name: string, modules: readonly string[]): Operation[] {
  return [
    file({ path: `/etc/modules-load.d/${name}.conf`, mode: "0644", content: `${modules.join("\n")}\n` }),
    {
      name: `kernel modules ${modules.join(" ")}`,
      functions: {
        hl_has_module: `[ -d "/sys/module/$1" ] || lsmod | grep -q "^$1 " || grep -q "/$1[.]ko" "/lib/modules/$(uname -r)/modules.builtin" 2>/dev/null || hl_say "kernel module $1 is not loaded"`,
      },
      check: modules.map((module) => `hl_has_module ${quote(module)}`),
      apply: modules.map((module) => `modprobe ${quote(module)}`),
    },
  ];
}

/** Settings of the kernel, now and at each start. @param name of the file below /etc/sysctl.d */
export function sysctls(name: string, values: Readonly<Record<string, string>>): Operation[] {
  const path = `/etc/sysctl.d/${name}.conf`;
  const entries = Object.entries(values);
  return [
    file({ path, mode: "0644", content: entries.map(([key, value]) => `${key} = ${value}\n`).join("") }),
    {
      name: `kernel settings ${name}`,
      functions: {
        hl_has_sysctl: `hl_now=$(sysctl -n "$1") || return 1
  [ "$hl_now" = "$2" ] || hl_say "$1 is $hl_now, expected $2"`,
      },
      check: entries.map(([key, value]) => `hl_has_sysctl ${quote(key)} ${quote(value)}`),
      apply: [`sysctl -q -p ${quote(path)}`],
    },
  ];
}

/** No swap, now and at each start: every swap line of fstab becomes a comment, however it is spaced. */
export function swapOff(): Operation {
  const lines = (action: string) => `awk '$1 !~ /^#/ && $3 == "swap" ${action}' /etc/fstab`;
  return {
    name: "swap off",
    check: [
      `{ [ -z "$(swapon --show=NAME --noheadings)" ] || hl_say 'swap is in use'; }`,
      `{ [ -z "$(${lines("{ print }")})" ] || hl_say '/etc/fstab has swap'; }`,
    ],
    apply: [
      "swapoff -a",
      "rm -f /etc/fstab.homelab-part",
      "cp -p /etc/fstab /etc/fstab.homelab-part",
      `{ ${lines('{ print "# " $0; next } { print }')} > /etc/fstab.homelab-part || { rm -f /etc/fstab.homelab-part; false; }; }`,
      "mv -f /etc/fstab.homelab-part /etc/fstab",
    ],
  };
}

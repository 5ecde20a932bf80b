import { HomelabError } from "../../common/errors";
import { quote } from "../../common/quote";
import type { Operation } from "../role";

function checkName(name: string): void {
  if (!/^[a-z_][a-z0-9_-]{0,31}$/.test(name)) throw new HomelabError("E_ROLE_ARGS", `"${name}" is no name of a user or group`);
}

export function group(name: string, { system = false }: { system?: boolean } = {}): Operation {
  checkName(name);
  return {
    name: `group ${name}`,
    check: [`{ getent group ${name} >/dev/null || hl_say 'group ${name} is missing'; }`],
    apply: [`groupadd ${system ? "--system " : ""}${name}`],
  };
}

export interface UserArgs {
  name: string;
  system?: boolean;
  /** Supplementary groups; others are left. */
  groups?: readonly string[];
  /** Default `/home/<name>`. It is created, except for system users. */
  home?: string;
  /** Default `/bin/bash`, and `/usr/sbin/nologin` for system users. */
  shell?: string;
}

/** A user without a password, with a group of its own name. */
export function user(args: UserArgs): Operation {
  const { name, system = false, groups = [] } = args;
  for (const each of [name, ...groups]) checkName(each);
  const shell = args.shell ?? (system ? "/usr/sbin/nologin" : "/bin/bash");
  const home = args.home ?? `/home/${name}`;
  const list = groups.length === 0 ? "" : ` -G ${groups.join(",")}`;
  return {
    name: `user ${name}`,
    functions: {
      hl_is_user: `hl_entry=$(getent passwd "$1") || hl_say "user $1 is missing" || return 1
  case $hl_entry in *":$2:$3") return 0 ;; esac
  hl_say "user $1 has another home or shell: $hl_entry"`,
      hl_in_group: `case " $(id -nG "$1") " in *" $2 "*) return 0 ;; esac
  hl_say "user $1 is not in group $2"`,
    },
    check: [`hl_is_user ${name} ${quote(home)} ${quote(shell)}`, ...groups.map((each) => `hl_in_group ${name} ${each}`)],
    apply: [
      `{ if getent passwd ${name} >/dev/null; then usermod -d ${quote(home)} -s ${quote(shell)}${groups.length === 0 ? "" : ` -a${list}`} ${name}; else useradd ${system ? "--system --no-create-home" : "--create-home"} --user-group -d ${quote(home)} -s ${quote(shell)}${list} ${name}; fi; }`,
    ],
  };
}

/** A public key that may log in as a user. Other keys stay. */
export function authorizedKey(name: string, key: string): Operation {
  checkName(name);
  const [kind, body] = key.split(" ");
  if (!/^(ssh-ed25519|ssh-rsa|ecdsa-sha2-\S+|sk-\S+)$/.test(kind ?? "") || body === undefined || key.includes("\n"))
    throw new HomelabError("E_ROLE_ARGS", `user ${name}: not one public key of OpenSSH`);
  return {
    name: `key ${body.slice(-12)} of ${name}`,
    functions: { hl_home: `getent passwd "$1" | cut -d : -f 6` },
    check: [`hl_dir=$(hl_home ${name})/.ssh`, `{ grep -qxF -e ${quote(key)} "$hl_dir/authorized_keys" 2>/dev/null || hl_say 'the key may not log in'; }`],
    apply: [
      `hl_dir=$(hl_home ${name})/.ssh`,
      `install -d -m 0700 -o ${name} -g ${name} "$hl_dir"`,
      `rm -f "$hl_dir/authorized_keys.homelab-part"`,
      `install -m 0600 -o ${name} -g ${name} /dev/null "$hl_dir/authorized_keys.homelab-part"`,
      `{ [ ! -f "$hl_dir/authorized_keys" ] || awk 1 "$hl_dir/authorized_keys" > "$hl_dir/authorized_keys.homelab-part"; }`,
      `printf '%s\\n' ${quote(key)} >> "$hl_dir/authorized_keys.homelab-part"`,
      `mv -f "$hl_dir/authorized_keys.homelab-part" "$hl_dir/authorized_keys"`,
    ],
  };
}

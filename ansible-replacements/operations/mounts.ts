import { HomelabError } from "../../common/errors";
import { quote } from "../../common/quote";
import type { Operation } from "../role";

export interface MountArgs {
  /** By a name that stays: `/dev/disk/by-id/…`. Names such as /dev/sdb follow the order of discovery. */
  device: string;
  path: string;
  /** Mount options; `nofail` is always among them, so that the host starts without the disk. Default `defaults`. */
  options?: string;
}

/**
 * An ext4 filesystem on a device, mounted. A device that holds anything at all (another filesystem, a partition table, a part of
 * a RAID) is left as it is and the role fails: nothing is ever formatted over.
 */
export function mountedFilesystem({ device, path, options = "defaults" }: MountArgs): Operation[] {
  if (!device.startsWith("/dev/disk/by-id/"))
    throw new HomelabError("E_ROLE_ARGS", `storage ${device}: not a stable name`, { hint: "look for the disk in /dev/disk/by-id on the host" });
  const target = quote(device);
  const functions = {
    hl_signature: `hl_found=$(blkid -p -o export "$1")
  hl_code=$?
  [ "$hl_code" -ne 2 ] || { hl_found=; return 0; }
  return "$hl_code"`,
    hl_uuid: `blkid -p -s UUID -o value "$1"`,
    hl_is_ext4: `hl_signature "$1" || return 1
  case $hl_found in *TYPE=ext4*) return 0 ;; esac
  hl_say "$1 has no ext4 filesystem"`,
  };
  const wanted = `"$(printf 'UUID=%s %s ext4 %s 0 2' "$(hl_uuid ${target})" ${quote(path)} ${quote(`${options},nofail`)})"`;
  return [
    {
      name: `filesystem on ${device}`,
      functions,
      check: [`{ [ "$(stat -L -c %F ${target} 2>/dev/null)" = 'block special file' ] || hl_say ${quote(`${device} is not there`)}; }`, `hl_is_ext4 ${target}`],
      apply: [
        `{ [ "$(stat -L -c %F ${target} 2>/dev/null)" = 'block special file' ] || hl_say ${quote(`${device} is not there: is the disk connected?`)}; }`,
        `hl_signature ${target}`,
        `{ [ -z "$hl_found" ] || hl_say ${quote(`${device} is not empty and is left as it is; it holds`)}" $(printf '%s' "$hl_found" | tr '\\n' ' ')"; }`,
        `mkfs.ext4 -q ${target}`,
      ],
    },
    {
      name: `fstab of ${path}`,
      functions,
      check: [
        `hl_line=${wanted}`,
        `{ [ "$(awk -v path=${quote(path)} '$1 !~ /^#/ && $2 == path' /etc/fstab)" = "$hl_line" ] || hl_say ${quote(`/etc/fstab does not mount ${device} at ${path} alone`)}; }`,
      ],
      apply: [
        `hl_line=${wanted}`,
        "rm -f /etc/fstab.homelab-part",
        "cp -p /etc/fstab /etc/fstab.homelab-part",
        `{ { awk -v path=${quote(path)} '$1 ~ /^#/ || $2 != path' /etc/fstab && printf '%s\\n' "$hl_line"; } > /etc/fstab.homelab-part || { rm -f /etc/fstab.homelab-part; false; }; }`,
        "mv -f /etc/fstab.homelab-part /etc/fstab",
      ],
    },
    {
      name: `mount ${path}`,
      functions,
      check: [
        `{ [ "$(findmnt -n -o UUID --mountpoint ${quote(path)})" = "$(hl_uuid ${target})" ] || hl_say ${quote(`${device} is not mounted at ${path}`)}; }`,
      ],
      apply: [`mkdir -p ${quote(path)}`, "systemctl daemon-reload", `mount ${quote(path)}`],
    },
  ];
}

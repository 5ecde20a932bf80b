import { directory } from "../operations/files";
import { mountedFilesystem } from "../operations/mounts";
import { packages } from "../operations/packages";
import type { Role } from "../role";

export interface UsbStorageArgs {
  /** `/dev/disk/by-id/usb-…`. */
  device: string;
  /** Where it is mounted: /mnt/home. */
  path: string;
  /** Folders on it. Owners by number, since they are users of containers. Default none. */
  directories?: readonly { path: string; owner: string; mode: string }[];
}

/** A disk that is plugged in, formatted only when it holds nothing at all, and mounted by the UUID of its filesystem. */
export function usbStorage({ device, path, directories = [] }: UsbStorageArgs): Role {
  return {
    name: "usb-storage",
    operations: [
      packages("e2fsprogs", "util-linux"),
      ...mountedFilesystem({ device, path }),
      ...directories.map((entry) => directory(`${path}/${entry.path}`, { mode: entry.mode, owner: entry.owner })),
    ],
  };
}

import { quote } from "../../common/quote";
import { command } from "../operations/commands";
import { directory } from "../operations/files";
import { kernelModules } from "../operations/kernel";
import { packages } from "../operations/packages";
import { service, unitStopped } from "../operations/services";
import type { Role } from "../role";

export interface LonghornPrepArgs {
  /** Where Longhorn keeps its replicas. Default /var/lib/longhorn. */
  dataPath?: string;
  /** Also prepare for the v2 data engine (NVMe over TCP). Default false. */
  v2Engine?: boolean;
}

const PROGRAMS = ["/usr/sbin/iscsiadm", "/usr/sbin/mount.nfs", "/usr/bin/lsblk", "/usr/sbin/blkid", "/usr/bin/findmnt"];

/** A node on which Longhorn can run: the iSCSI initiator, NFS for shared volumes, and nothing that takes its disks. */
export function longhornPrep({ dataPath = "/var/lib/longhorn", v2Engine = false }: LonghornPrepArgs = {}): Role {
  return {
    name: "longhorn-prep",
    operations: [
      packages("nfs-common", "open-iscsi", "util-linux"),
      // Before iscsid, which cannot start without its kernel module.
      ...kernelModules("longhorn", v2Engine ? ["iscsi_tcp", "nvme_tcp", "uio_pci_generic"] : ["iscsi_tcp"]),
      service({ name: "iscsid", startedWith: [] }),
      // multipathd would take the block devices of Longhorn's volumes for paths to one disk. Its socket would start it again.
      unitStopped("multipathd.socket"),
      unitStopped("multipathd.service"),
      directory(dataPath, { mode: "0700" }),
      command(
        "filesystem for replicas",
        `case $(findmnt -n -o FSTYPE --target ${quote(dataPath)}) in ext4 | xfs) : ;; *) false ;; esac`,
        `hl_say ${quote(`${dataPath} lies on a filesystem that Longhorn does not support; it needs ext4 or xfs`)}`,
      ),
      command(
        "programs that Longhorn calls",
        PROGRAMS.map((name) => `[ -x ${name} ]`).join(" && "),
        `hl_say ${quote(`not all of these are there: ${PROGRAMS.join(", ")}`)}`,
      ),
    ],
  };
}

import { z } from "zod";
import type { Machine } from "./machine";

/** The content of a disk: a filesystem, or a partition table (`gpt`, `dos`). */
export const contentSchema = z.object({ type: z.string(), uuid: z.string() });
export const disksSchema = z.array(z.object({ name: z.string(), id: z.string(), sizeGiB: z.number(), content: contentSchema.optional() }));

/** A disk beside the first one, as a VM gets it passed through. */
export interface Disk {
  /** `sdb` */
  name: string;
  /** Its name below /dev/disk/by-id. */
  id: string;
  sizeGiB: number;
  content?: z.infer<typeof contentSchema> | undefined;
}

export const findDisk = (machine: Machine, device: string): Disk | undefined => machine.disks.find(({ name }) => device === `/dev/${name}`);

/** The device files, and what fstab mounts at the start. */
export async function plugDisks(machine: Machine): Promise<void> {
  for (const { name, id } of machine.disks) {
    await machine.disk.install(`/dev/${name}`, "", 0o660);
    await machine.disk.makeFolder("/dev/disk/by-id");
    await machine.disk.remove(`/dev/disk/by-id/${id}`);
    await machine.disk.inner.symlink(`/dev/${name}`, `/dev/disk/by-id/${id}`);
  }
  for (const line of ((await machine.disk.read("/etc/fstab")) ?? "").split("\n")) {
    const [source = "", path = ""] = line.split(/\s+/);
    const disk = machine.disks.find(({ content }) => content !== undefined && source === `UUID=${content.uuid}`);
    if (disk !== undefined) machine.kernel.mounts.set(path, disk.name);
  }
}

/** Property strings of Proxmox: `local-lvm:vm-1-disk-0,iothread=1,size=8G`. */
export type PveOptions = ReadonlyMap<string, string>;

/** @param first the name of a first part without one */
export function parseOptions(text: string, first: string): PveOptions {
  const options = new Map<string, string>();
  for (const part of text
    .split(",")
    .map((p) => p.trim())
    .filter((p) => p !== "")) {
    const [, name, value] = /^([^=]+)=(.*)$/.exec(part) ?? [];
    if (name === undefined || value === undefined) options.set(first, part);
    else options.set(name, value);
  }
  return options;
}

export function formatOptions(options: Iterable<readonly [string, string | number | boolean | undefined]>): string {
  return [...options].flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${typeof value === "boolean" ? Number(value) : value}`])).join(",");
}

/** `512M`, `8G`, `1T`, `8589934592` → GiB, rounded down. */
export function sizeInGiB(size: string): number {
  const [, count = "0", unit = ""] = /^(\d+(?:\.\d+)?)([KMGT]?)$/i.exec(size) ?? [];
  const bytes = Number(count) * 1024 ** "_KMGT".indexOf(unit.toUpperCase() || "_");
  return Math.floor(bytes / 1024 ** 3);
}

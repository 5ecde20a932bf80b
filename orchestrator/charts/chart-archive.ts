/** Files of a chart's archive (a POSIX tar file, compressed by gzip). */
import { gunzipSync } from "node:zlib";
import { HomelabError } from "../../common/errors";

const BLOCK = 512;
const LARGEST_BYTES = 256 * 2 ** 20;

const text = (block: Buffer, from: number, length: number): string => {
  const raw = block.subarray(from, from + length);
  const end = raw.indexOf(0);
  return raw.subarray(0, end < 0 ? length : end).toString("utf8");
};

/** The record `path` of a pax extended header, type `x` (https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html). */
const longPath = (records: string): string | undefined => /^\d+ path=(.*)$/m.exec(records)?.[1];

/** All files, those of subcharts too, by path inside the chart's folder. @throws HomelabError E_CHART_ARCHIVE */
export function readChartArchive(archive: Buffer, what: string): Map<string, string> {
  let data: Buffer;
  try {
    data = gunzipSync(archive, { maxOutputLength: LARGEST_BYTES });
  } catch (cause) {
    throw new HomelabError("E_CHART_ARCHIVE", `${what} is no archive of a chart`, { cause, subject: what });
  }
  const files = new Map<string, string>();
  let next: string | undefined;
  for (let at = 0; at + BLOCK <= data.length; ) {
    const header = data.subarray(at, at + BLOCK);
    at += BLOCK;
    const short = text(header, 0, 100);
    if (short === "") break;
    const size = Number.parseInt(text(header, 124, 12).trim() || "0", 8);
    // A negative size would lead back to the same header, in an endless loop.
    if (!(size >= 0 && at + size <= data.length)) throw new HomelabError("E_CHART_ARCHIVE", `${what}: ${short} has no size that fits`, { subject: what });
    const body = data.subarray(at, at + size);
    at += Math.ceil(size / BLOCK) * BLOCK;
    const kind = text(header, 156, 1);
    if (kind === "x") next = longPath(body.toString("utf8"));
    else if (kind === "L") next = text(body, 0, body.length);
    else {
      const prefix = text(header, 345, 155);
      const path = next ?? (prefix === "" ? short : `${prefix}/${short}`);
      next = undefined;
      if (kind === "" || kind === "0") files.set(path.replace(/^\.?\/?[^/]+\//, ""), body.toString("utf8"));
    }
  }
  if (!files.has("Chart.yaml")) throw new HomelabError("E_CHART_ARCHIVE", `${what} has no Chart.yaml`, { subject: what });
  return files;
}

/** How many backups a directory keeps: `backups` of the program, `prune-backups` and `max-protected-backups` of Proxmox. */
import type { CheckFailure } from "../../sdk/resource";
import { block, bool, num, type Property } from "../../sdk/schema";
import { isValues, type Json, type JsonObject, type Values } from "../../sdk/values";
import type { Params } from "../client";

const KEEP = {
  keepLast: "keep-last",
  keepHourly: "keep-hourly",
  keepDaily: "keep-daily",
  keepWeekly: "keep-weekly",
  keepMonthly: "keep-monthly",
  keepYearly: "keep-yearly",
};
const atLeast = (low: number) => (value: unknown) => (Number.isInteger(value) && Number(value) >= low ? undefined : `must be a whole number, ${low} at least`);

export const backupsField: Property = block({
  keepAll: bool({ computed: true }),
  maxProtectedBackups: num({ validate: atLeast(-1) }),
  ...Object.fromEntries(Object.keys(KEEP).map((name) => [name, num({ validate: atLeast(0) })])),
});

export function checkBackups({ backups }: Values): CheckFailure[] {
  if (!isValues(backups) || backups["keepAll"] !== true) return [];
  return Object.keys(KEEP).flatMap((name) =>
    name in backups ? [{ property: `backups.${name}`, reason: "cannot stand beside keepAll: true; leave one of them out" }] : [],
  );
}

const asObject = (value: Json | undefined): JsonObject | undefined =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;

export function backupParams(inputs: JsonObject): Params {
  const backups = asObject(inputs["backups"]) ?? {};
  const kept = Object.entries(KEEP).flatMap(([name, option]) => (typeof backups[name] === "number" ? [`${option}=${backups[name]}`] : []));
  const prune = backups["keepAll"] === true ? "keep-all=1" : kept.join(",");
  const limit = backups["maxProtectedBackups"];
  return { "prune-backups": prune === "" ? undefined : prune, "max-protected-backups": typeof limit === "number" ? limit : undefined };
}

/** Read only where the program sets them: otherwise they are not the program's. */
export function describeBackups(entry: JsonObject, known: JsonObject): JsonObject {
  if (asObject(known["backups"]) === undefined) return {};
  const options = new Map(
    String(entry["prune-backups"] ?? "")
      .split(",")
      .map((part): [string, string] => [part.split("=")[0] ?? "", part.split("=")[1] ?? ""]),
  );
  const kept = Object.entries(KEEP).flatMap(([name, option]) => (options.has(option) ? [[name, Number(options.get(option))]] : []));
  const limit = entry["max-protected-backups"];
  return {
    backups: {
      keepAll: options.get("keep-all") === "1",
      ...Object.fromEntries(kept),
      ...(limit === undefined || limit === null ? {} : { maxProtectedBackups: Number(limit) }),
    },
  };
}

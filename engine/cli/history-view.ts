/** History as `stack history --json` shows it and the Automation API reads it (engine-contract A7). */
import type { Backend } from "../backend/backend";
import { readHistory } from "../backend/history";
import type { StackSettings } from "../config/stack-settings";
import { asText, type ConfigValue, hasSecret, mapLeaves } from "../config/value-path";

export interface HistoryView {
  kind: string;
  startTime: string;
  message: string;
  environment: Record<string, string>;
  config: Record<string, { value: string; secret: boolean; objectValue?: ConfigValue }>;
  result: string;
  endTime: string;
  version: number;
  resourceChanges?: Record<string, number>;
}

export function pageOf(pageSize: number | undefined, page = 1): { skip: number; limit: number | undefined } {
  const limit = pageSize === undefined || pageSize === 0 ? undefined : pageSize;
  return { skip: limit === undefined ? 0 : (page - 1) * limit, limit };
}

const iso = (seconds: number): string => new Date(seconds * 1000).toISOString();

export async function recordedHistory(
  backend: Backend,
  project: string,
  stack: string,
  settings: StackSettings,
  page: { pageSize: number | undefined; page: number | undefined },
): Promise<HistoryView[]> {
  const { skip, limit } = pageOf(page.pageSize, page.page);
  const range = limit === undefined ? {} : { skip, limit };
  return (await readHistory(backend, project, stack, range)).map((entry) => ({
    kind: entry.kind,
    startTime: iso(entry.startTime),
    message: entry.message,
    environment: entry.environment ?? {},
    config: Object.fromEntries(
      Object.entries((entry.config ?? {}) as Record<string, ConfigValue>).map(([key, value]) => {
        const plain = mapLeaves(value, (ciphertext) => settings.secrets().decrypt(ciphertext));
        return [key, { value: asText(plain), secret: hasSecret(value), ...(typeof plain === "object" && plain !== null ? { objectValue: plain } : {}) }];
      }),
    ),
    result: entry.result,
    endTime: iso(entry.endTime),
    version: 0,
    ...(entry.resourceChanges ? { resourceChanges: entry.resourceChanges } : {}),
  }));
}

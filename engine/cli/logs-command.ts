/**
 * `logs`: what resources have logged. The CLI reads the logs of AWS's and Google's functions; no provider of this project has
 * any, so there are none, which is also what the CLI says of such a stack. A resource that is asked for must be there.
 */
import { CliError, EXIT_CODE } from "../errors";
import type { Flags } from "./flags";
import { rawResources } from "./output-command";
import { openStack, shownStack } from "./stack-context";
import { print } from "./terminal";

const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A time ago (`90s`, `2h30m`), or a time. @throws CliError */
function parseSince(text: string, now: number): Date {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)([smhd])/g)];
  if (parts.length > 0 && parts.map(([part]) => part).join("") === text)
    return new Date(now - parts.reduce((sum, [, count, unit]) => sum + Number(count) * (UNIT_MS[unit ?? ""] ?? 0), 0));
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw new CliError(`failed to parse argument to '--since' as duration or timestamp: ${text}`);
  return new Date(time);
}

/** Packages of which the CLI reads logs. */
const WITH_LOGS = /^(aws|gcp|aws-serverless|cloud):/;

export async function logs(flags: Flags): Promise<number> {
  const { project, backend, stack } = await openStack(flags);
  const since = parseSince(flags.text("since") ?? "1h", Date.now());
  const logging = rawResources(await backend.load(project.name, stack)).find(({ type }) => WITH_LOGS.test(type));
  if (logging !== undefined)
    throw new CliError(`the logs of ${logging.type} are not read by the embedded engine; the Pulumi CLI does (${logging.urn})`, EXIT_CODE.usage);
  if (flags.json && !flags.has("follow")) print("[]");
  else if (!flags.json) print(`Collecting logs for stack ${shownStack(flags, project, stack)} since ${since.toISOString()}.\n`);
  // With --follow the command waits for more, until a signal ends it.
  if (flags.has("follow"))
    await new Promise<void>((resolve) => {
      const wait = setInterval(() => undefined, 60_000);
      for (const signal of ["SIGINT", "SIGTERM"] as const)
        process.once(signal, () => {
          clearInterval(wait);
          resolve();
        });
    });
  return EXIT_CODE.ok;
}

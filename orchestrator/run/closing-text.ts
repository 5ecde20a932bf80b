/** What a run prints last at a terminal: why it failed, the table, and where to look. */
import { quote } from "../../common/quote";
import { durationText } from "../report/changes";
import { failureLines } from "../report/failure-text";
import type { RunReport } from "../report/report-schema";
import { renderTable, TABLE_HEAD, tableRows, waitingTexts } from "../report/table";
import type { LabFile } from "../target/lab-client";
import type { Program } from "../target/program";
import type { Site } from "../target/site";
import type { RunOperation } from "./run-setup";

/** The part of a run's setup that the closing lines need. */
export interface Closing {
  operation: RunOperation;
  site: Pick<Site, "env"> & { lab: Pick<LabFile, "kubeconfig" | "proxy" | "caFile"> | undefined };
  program: Pick<Program, "site" | "vaultStack">;
}

/** Failures first and the table last, so that the table is on the screen however much failed. @param columns of the terminal */
export function tableText(report: RunReport, columns: number): string {
  const failures = report.stacks.filter(({ error }) => error !== undefined).flatMap((stack) => ["", ...failureLines(stack)]);
  const warnings = (report.warnings ?? []).flatMap((warning, i) => [...(i === 0 ? [""] : []), `warning: ${warning}`]);
  const retries = report.stacks.flatMap(({ stack, retries: all = [] }) =>
    all.map(({ attempt, class: why }) => `${stack}: try ${attempt} failed (${why}) and was followed by another`),
  );
  const skipped = report.stacks
    .filter(({ status }) => status === "skipped")
    .map(({ stack, blame }) => `${stack} was skipped because ${blame ?? "another stack"} failed`);
  return `${[...warnings, ...failures, "", renderTable(TABLE_HEAD, tableRows(report), columns), ...(retries.length === 0 ? [] : ["", ...retries]), ...(skipped.length === 0 ? [] : ["", ...skipped]), ""].join("\n")}\n`;
}

/** Names after a title, as many as fit into the width. */
function within(title: string, names: readonly string[], width: number): string {
  const shown: string[] = [];
  const more = (): string => (shown.length === names.length ? "" : ` and ${names.length - shown.length} more (see the report)`);
  for (const name of names) {
    shown.push(name);
    if (shown.length > 1 && `${title}${shown.join(", ")}${more()}`.length > width) {
      shown.pop();
      break;
    }
  }
  return `${title}${shown.join(", ")}${more()}`;
}

/** Commands to look at what was built: only those that answer. */
function whereToLook(setup: Closing, report: RunReport): string[] {
  const { site, operation } = setup;
  const { lab } = site;
  if (lab === undefined || operation !== "up" || !report.ok) return [];
  const built = report.stacks.map(({ stack }) => stack);
  const context = built.at(-1);
  const lines = context === undefined ? [] : [`kubernetes: kubectl --kubeconfig ${quote(lab.kubeconfig)} --context ${quote(context)} get deployments -A`];
  if (built.some((stack) => stack === setup.program.vaultStack))
    lines.push(
      `vault: HTTPS_PROXY=${quote(lab.proxy)} VAULT_CACERT=${quote(site.env["NODE_EXTRA_CA_CERTS"] ?? lab.caFile)} VAULT_ADDR=https://vault.${setup.program.site} (any Vault client)`,
    );
  return lines;
}

export function closingText(setup: Closing, report: RunReport, htmlFile: string, columns: number): string {
  const lines: string[] = [];
  for (const { stack, from, outputs } of waitingTexts(report.stacks))
    lines.push(within(`${stack} waits for ${from}, whose outputs are unknown until it is up: `, outputs, Math.max(columns, 60) * 2));
  lines.push(`${setup.operation} took ${durationText(report.duration)} with the ${report.engine.name} engine (${report.engine.why})`);
  lines.push(`report: ${htmlFile}`, ...whereToLook(setup, report));
  return `${lines.join("\n")}\n`;
}

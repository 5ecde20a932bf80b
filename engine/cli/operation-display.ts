/** Which display an operation's flags ask for. */
import type { EngineEventPayload } from "../contracts";
import { stamper } from "../display/event-log";
import { HumanDisplay } from "../display/human";
import { PreviewJson } from "../display/preview-json";
import type { Flags } from "./flags";

export interface Display {
  event(event: EngineEventPayload): void;
  close(): void;
}

const TITLES = {
  preview: ["Previewing update", ""],
  up: ["Previewing update", "Updating"],
  refresh: ["Previewing refresh", "Refreshing"],
  destroy: ["Previewing destroy", "Destroying"],
  import: ["Previewing import", "Importing"],
} as const;

/** With --json a preview is one document, and a change is a line for each event. */
export function openDisplay(flags: Flags, command: keyof typeof TITLES, preview: boolean, stack: string, details = false): Display {
  if (flags.json) {
    if (preview) return new PreviewJson();
    const stamp = stamper();
    return { event: (event) => void process.stdout.write(stamp(event)), close: () => undefined };
  }
  return new HumanDisplay({
    title: TITLES[command][preview ? 0 : 1],
    stack,
    preview,
    diff: details || flags.has("diff"),
    urns: flags.has("urns"),
    showSames: flags.has("show-sames"),
    showReads: flags.has("show-reads"),
    showReplacementSteps: flags.has("show-replacement-steps"),
    remediations: flags.has("show-policy-remediations"),
    suppressOutputs: flags.has("suppress-outputs"),
    color: flags.text("color"),
    debug: flags.has("debug"),
  });
}

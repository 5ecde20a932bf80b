/** Which faults a rehearsal injects, and how. The names come from the lab's own code, so that none is left out. */

import { HomelabError } from "../../common/errors";
import { nearest } from "../../common/nearest";
import type { QueuedFault } from "./rehearsal-lab";

export interface Scenario extends QueuedFault {
  /** The fault's name, and what distinguishes it from the same fault with other parameters: `proxmox.unavailable 596`. */
  title: string;
  after: number;
}

type Parameters = Readonly<Record<string, unknown>>;

/** Faults that strike in several ways. Others strike in the one that the lab's page describes. */
const WAYS: Readonly<Record<string, readonly Parameters[]>> = {
  "proxmox.unavailable": [{ status: 500, message: "got timeout" }, { status: 596 }],
  "kubernetes.unavailable": [{ status: 429 }, { status: 503 }],
  "vault.unavailable": [{ status: 500 }, { status: 503 }],
};

/** These faults strike after a number of changes on a host's disk. The seed chooses it, up to this maximum. */
const AT_CHANGE: Readonly<Record<string, number>> = { "ssh.cut": 12, "vm.reboot": 12 };

/** These faults let a number of chances to strike pass. The seed chooses it, up to this maximum. Others strike at their first chance. */
const CHANCES: Readonly<Record<string, number>> = {
  "kubernetes.conflict": 10,
  "kubernetes.reply-lost": 30,
  "kubernetes.unavailable": 30,
  "proxmox.reply-lost": 12,
  "proxmox.task-failed": 8,
  "proxmox.unavailable": 40,
  "s3.clock-skew": 20,
  "s3.write-refused": 20,
  "ssh.disconnect": 6,
  "ssh.restarting": 6,
  "tls.expired": 10,
  "vault.reply-lost": 40,
  "vault.unavailable": 40,
};

/** Faults of the state backend. Their builds keep the states in the homelab's own bucket. */
export const isOfStates = (name: string): boolean => name.startsWith("s3.");

/** Numbers that look random and are the same for a seed (Park and Miller); each below its limit. */
function numbersOf(seed: number): (limit: number) => number {
  let state = (seed % 2_147_483_646) + 1;
  return (limit) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % limit;
  };
}

function scenariosOf(name: string, random: (limit: number) => number): Scenario[] {
  return (WAYS[name] ?? [{}]).map((way) => {
    const changes = AT_CHANGE[name];
    const parameters = changes === undefined ? way : { ...way, changes: 1 + random(changes) };
    const title = way["status"] === undefined ? name : `${name} ${String(way["status"])}`;
    return { name, title, parameters, after: random((CHANCES[name] ?? 0) + 1) };
  });
}

/**
 * @param asked `all`, or names with commas between them
 * @param known the names that the lab's code knows
 * @param seed of where they strike; the same for one fault whether it is asked for alone or with others
 * @throws HomelabError E_USAGE for a name that there is not
 */
export function chooseScenarios(asked: string, known: readonly string[], seed: number): Scenario[] {
  const names = asked === "all" ? known : asked.split(",").map((name) => name.trim());
  for (const name of names) {
    if (known.includes(name)) continue;
    const meant = nearest(name, known);
    throw new HomelabError("E_USAGE", `there is no fault ${name}`, {
      hint: meant === undefined ? `use all, or some of: ${known.join(", ")}` : `did you mean ${meant}?`,
    });
  }
  return names.flatMap((name) => scenariosOf(name, numbersOf(seed * 1_000 + known.indexOf(name))));
}

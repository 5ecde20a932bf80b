/**
 * Changes of a node's network. Proxmox writes them beside the file in use, one such file for everybody, and a reload applies all
 * that is in it. So each change is made alone: what somebody else has pending there is neither applied nor lost.
 */
import { withinTime } from "../../../common/deadline";
import { asError, HomelabError } from "../../../common/errors";
import type { BridgedCall } from "../../sdk/bridged";
import { type Json, type JsonObject, sameValue } from "../../sdk/values";
import { asRecord, type PveClient, PveError } from "../client";

export interface NodeNetwork {
  interfaces: readonly JsonObject[];
  /** What is written and not applied, as a unified diff. */
  pending: string | undefined;
}

type Call = Pick<BridgedCall<PveClient>, "provider" | "signal">;
const RELOAD_ATTEMPTS = 3;

export async function readNetwork(node: string, { provider, signal }: Call): Promise<NodeNetwork> {
  const { data, changes } = await provider.answer("GET", `nodes/${node}/network`, signal);
  return { interfaces: (Array.isArray(data) ? data : []).map(asRecord), pending: typeof changes === "string" && changes.trim() !== "" ? changes : undefined };
}

export const findInterface = (network: NodeNetwork, name: string): JsonObject | undefined => network.interfaces.find(({ iface }) => iface === name);

/** Whether a diff of the file only changes the stanzas of one interface. Lines whose stanza is not shown count as another's. */
export function isAbout(diff: string, name: string): boolean {
  let current: string | undefined;
  for (const line of diff.split("\n")) {
    if (/^(---|\+\+\+) /.test(line)) continue;
    if (line.startsWith("@@")) {
      current = undefined;
      continue;
    }
    const text = line.slice(1).trim();
    const [, stanza] = /^(?:auto|iface|allow-\S+)\s+(.+)$/.exec(text) ?? [];
    if (stanza !== undefined) current = stanza.split(/\s+/)[0];
    const isHeader = current === undefined && text.startsWith("#");
    if (/^[+-]/.test(line) && text !== "" && !isHeader && current !== name) return false;
  }
  return true;
}

/** A bridge and its ports, whose entries Proxmox may make or change with it. */
const namesOf = (network: NodeNetwork, name: string): string[] => [name, ...String(findInterface(network, name)?.["bridge_ports"] ?? "").split(/\s+/)];

/** The configuration of all other interfaces, without fields that only report a status or follow the order in the file. */
const besides = (network: NodeNetwork, names: readonly string[]): Json =>
  Object.fromEntries(
    network.interfaces
      .filter(({ iface }) => !names.includes(String(iface)))
      .map(({ active, exists, priority, ...configured }) => [String(configured["iface"]), configured]),
  );

const pendingError = (node: string, what: string, diff: string): HomelabError =>
  new HomelabError("E_NETWORK_PENDING", `${node}: ${what}\n${diff.trim()}`, {
    subject: node,
    hint: "a reload would apply all of it: apply or revert it in the node's System → Network, then run again",
  });

/** By node: changes of this process wait for each other. */
const turns = new Map<string, Promise<unknown>>();

async function inTurn<T>(node: string, client: PveClient, work: () => Promise<T>): Promise<T> {
  const key = `${client.endpoint} ${node}`;
  const mine = (turns.get(key) ?? Promise.resolve()).then(work);
  // The next change waits for this one, but does not fail with it.
  turns.set(
    key,
    mine.catch(() => undefined),
  );
  return mine;
}

export interface InterfaceChange {
  node: string;
  name: string;
  reloadSeconds: number;
  /** Writes the change; `before` is what the node has, pending changes of this interface included. */
  write(before: NodeNetwork): Promise<void>;
}

/** The exit code of an `ifreload` while another one is running. */
const isBusy = (thrown: unknown): boolean => thrown instanceof Error && /exit code 89/.test(thrown.message);

async function reload({ node, reloadSeconds }: InterfaceChange, { provider, signal }: Call): Promise<void> {
  const tooLong = () =>
    new HomelabError("E_NETWORK_RELOAD", `${node}: the network was not reloaded within ${reloadSeconds} s (timeoutReload)`, {
      subject: node,
      hint: "where the node does not answer any more, look at its console: /etc/network/interfaces holds what was written",
    });
  await withinTime(signal, reloadSeconds * 1000, tooLong, (limited) =>
    provider.retrying(RELOAD_ATTEMPTS, limited, () => provider.disruptiveTask("PUT", `nodes/${node}/network`, limited), isBusy),
  );
}

/** Takes the pending change back where the reload never began. @returns whether it did */
async function takenBack(node: string, call: Call): Promise<boolean> {
  try {
    if ((await readNetwork(node, call)).pending === undefined) return false;
    await call.provider.write("DELETE", `nodes/${node}/network`, call.signal);
    return true;
  } catch (thrown) {
    // The failure of the reload is the one to report.
    if (thrown instanceof HomelabError) return false;
    throw thrown;
  }
}

/** The change is in the node's configuration, and its reload failed. */
export class NotReloaded extends HomelabError {}

/**
 * Makes a change and applies it.
 * @throws HomelabError E_NETWORK_PENDING where others have changes pending: nothing was applied
 * @throws NotReloaded where it is written to the configuration and the reload failed
 */
export async function changeInterface(change: InterfaceChange, call: Call): Promise<void> {
  const { node, name } = change;
  await inTurn(node, call.provider, async () => {
    const before = await readNetwork(node, call);
    if (before.pending !== undefined && !isAbout(before.pending, name))
      throw pendingError(node, "its network has changes that are not applied, and are not of this stack", before.pending);
    await change.write(before);
    const after = await readNetwork(node, call);
    const own = [...namesOf(before, name), ...namesOf(after, name)];
    if (!sameValue(besides(before, own), besides(after, own)))
      throw pendingError(node, `somebody changed its network while ${name} was written, which is pending with it now`, after.pending ?? "");
    try {
      await reload(change, call);
    } catch (thrown) {
      const cause = asError(thrown);
      if (await takenBack(node, call))
        throw new HomelabError("E_NETWORK_RELOAD", `${node}: the network could not be reloaded, and the change of ${name} was taken back: ${cause.message}`, {
          cause,
          subject: node,
        });
      throw new NotReloaded("E_NETWORK_RELOAD", `${node}: ${name} is written, and the network could not be reloaded: ${cause.message}`, {
        cause,
        subject: node,
      });
    }
  });
}

export const isMissingInterface = (thrown: unknown): boolean => thrown instanceof PveError && /interface does not exist/.test(thrown.detail);

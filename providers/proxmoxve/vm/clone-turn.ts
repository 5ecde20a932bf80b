/**
 * One clone at a time on each node: two full clones share one disk and take longer than one after the other, and Proxmox makes
 * the second wait for the template's lock until it gives up. Stack operations are processes of their own, so the turn is taken
 * by a file of this machine; clones that others started (another machine, Proxmox's own page) are seen in the node's tasks.
 */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { HomelabError } from "../../../common/errors";
import { takeOwnerFile } from "../../../common/owner-file";
import { proxyFor } from "../../../common/proxy";
import type { CallContext } from "../../sdk/resource";
import { asRecord, isLockAnswer, type PveClient } from "../client";

/**
 * One file for all processes of a user, which only this user may read. One address behind two proxies means two different Proxmox
 * servers: each lab of this machine has its own proxy, and all may have the same address.
 */
export function turnFile(endpoint: string, node: string): string {
  const dir = path.join(os.tmpdir(), `homelab-clones-${os.userInfo().uid}`);
  fs.mkdirSync(dir, { recursive: true, mode: 0o700 });
  const proxy = proxyFor(new URL(endpoint))?.host ?? "";
  return path.join(dir, createHash("sha256").update(`${endpoint}\n${proxy}\n${node}`).digest("hex").slice(0, 24));
}

async function othersClone(client: PveClient, node: string, signal: AbortSignal): Promise<boolean> {
  const tasks = await client.request("GET", `nodes/${node}/tasks`, signal, { source: "active", typefilter: "qmclone" });
  // A task that has just ended is still listed for a moment, with its end time.
  return (Array.isArray(tasks) ? tasks : [])
    .map(asRecord)
    .some((task) => task["type"] === "qmclone" && task["endtime"] === undefined && task["status"] !== "OK");
}

/**
 * Runs a clone when no other is under way on the node. If Proxmox answers that the template is locked, it waits for that, too.
 * @param call its signal is the budget of the whole wait
 * @throws HomelabError E_CLONE_WAIT when the budget is used up before the clone could begin
 */
export async function inCloneTurn(client: PveClient, node: string, call: CallContext, work: () => Promise<void>): Promise<void> {
  const file = turnFile(client.endpoint, node);
  let waitsFor = "another clone of this machine";
  try {
    await client.poll(call.signal, async () => (takeOwnerFile(file) ? true : undefined));
    try {
      waitsFor = "a clone that another machine started";
      await client.poll(call.signal, async () => ((await othersClone(client, node, call.signal)) ? undefined : true));
      waitsFor = "";
      await client.poll(call.signal, async () => {
        try {
          await work();
          return true;
        } catch (thrown) {
          if (!isLockAnswer(thrown)) throw thrown;
          waitsFor = `a lock (${thrown instanceof Error ? thrown.message : String(thrown)})`;
          call.log("info", `node ${node}: the template is locked; waiting`, { status: true });
          return undefined;
        }
      });
    } finally {
      fs.rmSync(file, { force: true });
    }
  } catch (cause) {
    if (!call.signal.aborted || waitsFor === "") throw cause;
    throw new HomelabError("E_CLONE_WAIT", `no clone could begin on ${node} in the time allowed: it waited for ${waitsFor}`, {
      cause,
      subject: node,
      hint: "look at the node's tasks in Proxmox; timeoutClone says how long is waited",
    });
  }
}

/** Whether an error says what a clone was waiting for when its time was over. */
export const isCloneWait = (thrown: unknown): boolean => thrown instanceof HomelabError && thrown.code === "E_CLONE_WAIT";

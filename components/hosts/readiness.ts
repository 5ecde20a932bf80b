/** Waits until the host of a started VM can be used, step by step ("rungs"), and names the step that it has reached when time runs out. */
import type { Clock } from "../../common/clock";
import { asError, HomelabError } from "../../common/errors";
import { retry } from "../../common/retry";
import { SshFailure, type SshSession } from "./ssh-session";

/** In order; those of the connection first. */
const RUNGS = ["bastion", "TCP", "SSH banner", "host key", "authentication", "cloud-init", "boot id"] as const;
type Rung = (typeof RUNGS)[number];

export interface Ready {
  /** `/proc/sys/kernel/random/boot_id`: another one after each start of the kernel. */
  bootId: string;
  /** As in known_hosts. */
  hostKey: string;
}

export interface ClimbOptions {
  /** For messages. */
  name: string;
  /** The Proxmox node that has the VM, for messages. undefined: not told. */
  node: string | undefined;
  /** One attempt to connect, bounded by the signal. */
  open: (signal: AbortSignal) => Promise<SshSession>;
  /** Id of the boot before the restart: the host must have another one. undefined: any boot is accepted. */
  bootBefore: string | undefined;
  budgetMs: number;
  clock: Clock;
}

class RungFailed extends Error {
  constructor(
    readonly rung: Rung,
    message: string,
    /** Waiting cannot help. */
    readonly final: boolean,
  ) {
    super(message);
  }
}

/** How long one attempt may take. cloud-init is waited for within an attempt. */
const ATTEMPT_MS = 20_000;
const FIRST_DELAY_MS = 200;
const LONGEST_DELAY_MS = 5_000;
/** Polling adds at most 30 % to the time until the host is ready. */
const DELAY_FACTOR = 1.3;

/** Its output is judged, not its exit code: that is 2 where cloud-init is done with warnings. */
const CLOUD_INIT = "if command -v cloud-init >/dev/null 2>&1; then cloud-init status; else echo 'status: disabled'; fi";

async function inspect(session: SshSession, bootBefore: string | undefined, signal: AbortSignal): Promise<Ready> {
  const cloudInit = await session.run(CLOUD_INIT, "", signal);
  const status = /status: *(\S+)/.exec(cloudInit.stdout)?.[1] ?? `no answer (exit code ${cloudInit.code})`;
  if (!["done", "disabled", "degraded"].includes(status)) {
    const final = status === "error";
    throw new RungFailed("cloud-init", final ? "it ended with an error; `cloud-init status --long` on the host says which" : `its status is: ${status}`, final);
  }
  const boot = await session.run("cat /proc/sys/kernel/random/boot_id", "", signal);
  const bootId = boot.stdout.trim();
  if (boot.code !== 0 || !/^[0-9a-f-]{36}$/.test(bootId)) throw new RungFailed("boot id", `the host tells none: ${boot.stderr.trim()}`, true);
  if (bootId === bootBefore) throw new RungFailed("boot id", `it is still that of before the restart (${bootId}): restart the VM`, false);
  return { bootId, hostKey: session.hostKey };
}

async function attempt(options: ClimbOptions, signal: AbortSignal): Promise<Ready> {
  const session = await options.open(signal);
  try {
    return await inspect(session, options.bootBefore, signal);
  } finally {
    session.close();
  }
}

function failureOf(thrown: unknown): RungFailed {
  if (thrown instanceof RungFailed) return thrown;
  if (thrown instanceof SshFailure)
    return new RungFailed(thrown.step, asError(thrown.cause).message, thrown.step === "host key" || /privateKey/.test(String(thrown.cause)));
  // The host went down, or stopped answering, during a command.
  return new RungFailed("cloud-init", asError(thrown).message, false);
}

/** @throws HomelabError E_NOT_READY with the rung that it has reached and why */
export function climb(options: ClimbOptions): Promise<Ready> {
  const { name, node, clock, budgetMs } = options;
  const [place, console] = node === undefined ? ["", "Proxmox"] : [` on ${node}`, `Proxmox (node ${node})`];
  return retry(() => attempt(options, AbortSignal.timeout(ATTEMPT_MS)), {
    clock,
    firstMs: FIRST_DELAY_MS,
    longestMs: LONGEST_DELAY_MS,
    factor: DELAY_FACTOR,
    again: ({ outcome, elapsedMs, backoffMs }) => {
      if ("value" in outcome) return undefined;
      const failed = failureOf(outcome.thrown);
      if (!failed.final && elapsedMs + backoffMs <= budgetMs) return backoffMs;
      const when = failed.final ? "cannot become ready" : `was not ready within ${Math.round(budgetMs / 1000)} s`;
      throw new HomelabError(
        "E_NOT_READY",
        `${name}${place} ${when}: it stands at ${failed.rung} (step ${RUNGS.indexOf(failed.rung) + 1} of ${RUNGS.length}): ${failed.message}`,
        {
          cause: outcome.thrown,
          subject: name,
          hint: `look at the VM's console in ${console}, restart the VM there where it did not boot, then run the same command again`,
        },
      );
    },
  });
}

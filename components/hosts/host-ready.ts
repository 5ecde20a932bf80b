import { Command } from "@pulumi/command/local/command";
import * as pulumi from "@pulumi/pulumi";
import { timeouts } from "../base/component";
import type { HostConnectionArgs } from "./connection";
import { restartParts } from "./vm-changes";
import type { VmSpec } from "./vm-spec";

export interface HostReadyArgs {
  spec: VmSpec;
  /** Differs from the VM that stood here before. */
  instance: pulumi.Input<string>;
  connection: HostConnectionArgs;
  /** The checkout, in which the command runs. */
  checkout: string;
}

/** What is known of a host once it is ready. */
interface HostFacts {
  bootId: string;
  /** As in known_hosts. */
  hostKey: string;
}

/** From the start of the VM to a finished first boot. */
const BUDGET_SECONDS = 600;
const MINUTES_BEFORE_KILL = 15;

/**
 * Waits, after the VM was made or restarted, until its host can be worked on: see readiness.ts. A resource that others depend
 * on. Its output is for the stack's outputs only: it is open in the preview of every restart.
 */
export function hostReady(name: string, args: HostReadyArgs, opts: pulumi.CustomResourceOptions): Command {
  const { spec, connection } = args;
  const task = pulumi
    .all([args.instance, connection.address, connection.privateKey, connection.bastion?.privateKey])
    .apply(([instance, host, privateKey, bastionKey]) =>
      JSON.stringify({
        name: spec.name,
        instance,
        restartParts: restartParts(spec),
        budgetSeconds: BUDGET_SECONDS,
        target: {
          host,
          user: connection.user,
          privateKey,
          ...(connection.bastion === undefined
            ? {}
            : { bastion: { host: connection.bastion.host, port: connection.bastion.port, user: connection.bastion.user, privateKey: bastionKey } }),
        },
      }),
    );
  return new Command(
    name,
    // One command for create and update: what it printed the last time comes in the environment.
    { create: "node bin/components/hosts/wait-ready.main.js", dir: args.checkout, stdin: pulumi.secret(task), logging: "none" },
    // Where a checkout lies says nothing about the host.
    { ...opts, ignoreChanges: ["dir"], customTimeouts: timeouts(MINUTES_BEFORE_KILL) },
  );
}

/** What the command of {@link hostReady} printed. */
export const hostFacts = (command: Command): pulumi.Output<HostFacts> =>
  pulumi.unsecret(command.stdout).apply((text) => {
    const { bootId, hostKey } = JSON.parse(text) as HostFacts;
    return { bootId, hostKey };
  });

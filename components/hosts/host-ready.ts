import { Command } from "@pulumi/command/local/command";
import * as pulumi from "@pulumi/pulumi";
import { ERRORS_ONLY } from "../base/command-log";
import { timeouts } from "../base/component";
import type { HostConnectionArgs } from "./connection";
import { restartParts } from "./vm-changes";
import type { VmSpec } from "./vm-spec";

export interface HostReadyArgs {
  spec: VmSpec;
  /** Identifies this VM: another value after each rebuild. */
  instance: pulumi.Input<string>;
  connection: HostConnectionArgs;
  /** The checkout, in which the command runs. */
  checkout: string;
}

export interface HostReady {
  /** What works on the host depends on this. */
  ready: Command;
  /** As in known_hosts. Unknown only in the preview of a new VM: a restart does not change it. */
  hostKey: pulumi.Output<string>;
}

/** From the start of the VM to a finished first boot. */
const BUDGET_SECONDS = 600;
const MINUTES_BEFORE_KILL = 15;
const WAIT = "node bin/components/hosts/wait-ready.main.js";

/** What wait-ready.main.ts takes on standard input. JSON leaves out what is undefined. */
function waitTask({ spec, connection }: HostReadyArgs, { hostKey, node }: { hostKey?: pulumi.Input<string>; node?: string }): pulumi.Output<string> {
  const { bastion } = connection;
  return pulumi.secret(
    pulumi.all([connection.address, connection.privateKey, bastion?.privateKey, hostKey]).apply(([host, privateKey, bastionKey, expected]) =>
      JSON.stringify({
        name: spec.name,
        node,
        restartParts: restartParts(spec),
        budgetSeconds: BUDGET_SECONDS,
        target: {
          host,
          user: connection.user,
          privateKey,
          hostKey: expected,
          ...(bastion === undefined ? {} : { bastion: { ...bastion, privateKey: bastionKey } }),
        },
      }),
    ),
  );
}

/** The host key in the output of the first boot's command. */
const hostKeyOf = (command: Command): pulumi.Output<string> =>
  pulumi.unsecret(command.stdout).apply((text) => (JSON.parse(text) as { hostKey: string }).hostKey);

/**
 * Waits, after the VM was made or restarted, until its host can be worked on: see readiness.ts.
 *
 * There are two resources, because much depends on the host key. If a command gave it that runs after each restart, it would be unknown
 * in the preview of every restart. `<name>-first-boot` runs once for each VM and gives the key. `<name>-ready` starts with the output of
 * that one, and waits whenever a change of the definition restarts the VM.
 */
export function hostReady(name: string, args: HostReadyArgs, opts: pulumi.CustomResourceOptions): HostReady {
  const shared = { dir: args.checkout, triggers: [args.instance], logging: ERRORS_ONLY };
  const first = new Command(
    `${name}-first-boot`,
    { ...shared, create: WAIT, stdin: waitTask(args, { node: args.spec.node }) },
    // The path of the checkout, and the key by which the host was reached, say nothing about the host.
    { ...opts, ignoreChanges: ["dir", "stdin", "logging"], customTimeouts: timeouts(MINUTES_BEFORE_KILL) },
  );
  const hostKey = hostKeyOf(first);
  const ready = new Command(
    `${name}-ready`,
    {
      ...shared,
      create: `printf %s "$HOMELAB_FIRST_BOOT"`,
      update: WAIT,
      environment: { HOMELAB_FIRST_BOOT: pulumi.unsecret(first.stdout) },
      // Compared, so that each change of it runs it once more on every host: without the node.
      stdin: waitTask(args, { hostKey }),
    },
    { ...opts, ignoreChanges: ["dir", "logging"], customTimeouts: timeouts(MINUTES_BEFORE_KILL) },
  );
  return { ready, hostKey };
}

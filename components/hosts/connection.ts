import type { types } from "@pulumi/command";
import type * as pulumi from "@pulumi/pulumi";

/** An SSH jump host. */
interface BastionArgs {
  host: string;
  port: number;
  user: string;
  privateKey: pulumi.Input<string>;
  /** As in known_hosts. Left out: any key is accepted. */
  hostKey?: string | undefined;
}

/** How a host is reached by SSH. */
export interface HostConnectionArgs {
  address: pulumi.Input<string>;
  user: string;
  /** OpenSSH text; secret. */
  privateKey: pulumi.Input<string>;
  /** As in known_hosts. Left out: any key is accepted. */
  hostKey?: pulumi.Input<string> | undefined;
  bastion?: BastionArgs | undefined;
}

/** Everything except the address and the host key, which are known only after the VM has booted. */
export type HostAccess = Omit<HostConnectionArgs, "address" | "hostKey">;

/**
 * Dial errors that are tolerated, about a minute: of the network, since a host is used only once it is ready. The official plugin also
 * waits that long for a host with another key.
 */
const DIAL_ERRORS = 20;
const SECONDS_PER_DIAL = 15;

export function connectionInputs(args: HostConnectionArgs): types.input.remote.ConnectionArgs {
  const { bastion } = args;
  return {
    host: args.address,
    port: 22,
    user: args.user,
    privateKey: args.privateKey,
    dialErrorLimit: DIAL_ERRORS,
    perDialTimeout: SECONDS_PER_DIAL,
    ...(args.hostKey === undefined ? {} : { hostKey: args.hostKey }),
    ...(bastion === undefined
      ? {}
      : {
          proxy: {
            host: bastion.host,
            port: bastion.port,
            user: bastion.user,
            privateKey: bastion.privateKey,
            ...(bastion.hostKey === undefined ? {} : { hostKey: bastion.hostKey }),
          },
        }),
  };
}

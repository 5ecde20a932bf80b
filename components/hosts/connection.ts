import type { types } from "@pulumi/command";
import type * as pulumi from "@pulumi/pulumi";

/** An SSH jump host. */
interface BastionArgs {
  host: string;
  port: number;
  user: string;
  privateKey: pulumi.Input<string>;
}

/** How a host is reached by SSH. */
export interface HostConnectionArgs {
  address: pulumi.Input<string>;
  user: string;
  /** OpenSSH text; secret. */
  privateKey: pulumi.Input<string>;
  bastion?: BastionArgs | undefined;
}

/** A host that was just started needs a while until it lets anybody in: dial errors that are waited out. */
const DIAL_ERRORS = 60;
const SECONDS_PER_DIAL = 15;

export function connectionInputs(args: HostConnectionArgs): types.input.remote.ConnectionArgs {
  return {
    host: args.address,
    port: 22,
    user: args.user,
    privateKey: args.privateKey,
    dialErrorLimit: DIAL_ERRORS,
    perDialTimeout: SECONDS_PER_DIAL,
    ...(args.bastion === undefined
      ? {}
      : { proxy: { host: args.bastion.host, port: args.bastion.port, user: args.bastion.user, privateKey: args.bastion.privateKey } }),
  };
}

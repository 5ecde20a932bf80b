import { Command } from "@pulumi/command/remote/command";
import * as pulumi from "@pulumi/pulumi";
import { compileRole, type Role, secretInput } from "../../ansible-replacements";
import { after, Component, timeouts } from "../base/component";
import { type Admission, admissionHook } from "./admission";
import { connectionInputs, type HostConnectionArgs } from "./connection";

export interface HostRoleArgs {
  role: Role;
  connection: HostConnectionArgs;
  /** Identifies this build of the host, such as {@link Vm.instance}: a host that was replaced gets the role again. */
  instance: pulumi.Input<string>;
  /** A value for each secret of the role; they travel on standard input. */
  secrets?: Record<string, pulumi.Input<string>>;
  /** What another host does right before the role is applied to a new one. */
  admission?: Admission | undefined;
}

/** A role applied to a host: its script runs in one SSH session whenever it differs from the one that ran last. */
export class HostRole extends Component {
  /** One line of JSON for each operation of the last run. */
  readonly report: pulumi.Output<string>;
  /** Changes whenever the role does: a trigger for what depends on it. */
  readonly digest: pulumi.Output<string>;

  constructor(name: string, args: HostRoleArgs, opts?: pulumi.ComponentResourceOptions) {
    const compiled = compileRole(args.role);
    super("hosts:HostRole", name, opts);
    const run = new Command(
      `${name}-run`,
      {
        connection: connectionInputs(args.connection),
        create: compiled.command,
        ...(args.secrets === undefined ? {} : { stdin: pulumi.secret(pulumi.output(args.secrets).apply((values) => secretInput(args.role, values))) }),
        triggers: [compiled.digest, args.instance],
      },
      this.child({
        customTimeouts: timeouts(30),
        ...(args.admission === undefined ? {} : { hooks: { beforeCreate: [admissionHook(`${name}-admission`, args.admission)] } }),
      }),
    );
    this.report = run.stdout;
    this.digest = after(run, compiled.digest);
    this.registerOutputs({ report: this.report, digest: this.digest });
  }
}

/** What another host does right before a role is applied to a new one, such as letting it join. */
import * as pulumi from "@pulumi/pulumi";
import { compileRole, parseRoleReport, type Role, roleFailure, secretInput } from "../../ansible-replacements";
import type { HostConnectionArgs } from "./connection";

export interface Admission {
  /** The other host, for messages. */
  host: string;
  role: Role;
  connection: HostConnectionArgs;
  /** A value for each secret of the role. */
  secrets: Readonly<Record<string, pulumi.Input<string>>>;
}

/** Generous: many hosts may be at work on one processor, and a role waits while another one runs on its host. */
const LIMIT_MS = 900_000;

const resolved = <T>(output: pulumi.Output<T>): Promise<T> => new Promise((resolve) => output.apply(resolve));

/**
 * A hook for the creation of the resource that applies the role. It runs before each attempt to create that resource, and in no preview.
 * A resource of its own would not do: it would be created once, and its effect, such as a token, may have expired at the next attempt.
 */
export function admissionHook(name: string, { host, role, connection, secrets }: Admission): pulumi.ResourceHook {
  const { bastion } = connection;
  const access = pulumi.output({
    address: connection.address,
    privateKey: connection.privateKey,
    hostKey: connection.hostKey,
    bastionKey: bastion?.privateKey,
  });
  const values = pulumi.output(secrets);
  return new pulumi.ResourceHook(name, async () => {
    // The SSH client is loaded only when the hook runs.
    const { openSsh } = await import("./ssh-session.js");
    const { address, privateKey, hostKey, bastionKey } = await resolved(access);
    const jump = bastion === undefined || bastionKey === undefined ? {} : { bastion: { ...bastion, privateKey: bastionKey } };
    const signal = AbortSignal.timeout(LIMIT_MS);
    const session = await openSsh({ host: address, user: connection.user, privateKey, hostKey, ...jump }, signal);
    try {
      const { stdout } = await session.run(compileRole(role).command, secretInput(role, await resolved(values)), signal);
      const failure = roleFailure(parseRoleReport(stdout), host);
      if (failure !== undefined) throw failure;
    } finally {
      session.close();
    }
  });
}

import * as pulumi from "@pulumi/pulumi";
import { AuthBackend } from "@pulumi/vault/authBackend";
import { AuthBackendRole } from "@pulumi/vault/kubernetes/authBackendRole";
import { Policy } from "@pulumi/vault/policy";
import { Token } from "@pulumi/vault/token";
import { Component } from "../../base/component";
import { authMountOf, type NamespaceGrant, namespacePolicyName, type StackGrant, stackPolicyName, VAULT_AUDIENCE } from "./vault-names";
import { readPolicy, stackPolicy } from "./vault-policies";

export interface VaultGrantsArgs {
  grants: readonly StackGrant[];
}

const LEASE_SECONDS = 3600;
/** The period of the managing stack's own token; see secrets/vault-set-up.ts. */
const PERIOD = "87600h";
const YEAR_SECONDS = 31_536_000;
const TEN_YEARS_SECONDS = 315_360_000;

/**
 * What each stack and each namespace may do in Vault: for a stack a policy, a token with it, and the auth mount of its cluster; for a
 * namespace a policy and a role of that mount. The stack that runs Vault makes all of them. No other stack may make a policy, a mount or
 * a role.
 */
export class VaultGrants extends Component {
  /** Token of each stack. Secret; known once the stack's mount and its namespaces' roles exist. */
  readonly tokens: pulumi.Output<Record<string, string>>;
  private readonly stacks: readonly string[];

  constructor(name: string, args: VaultGrantsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("platform:VaultGrants", name, opts);
    this.stacks = args.grants.map(({ stack }) => stack);
    const tokens = args.grants.map((grant) => [grant.stack, this.stackToken(`${name}-${grant.stack}`, grant)] as const);
    this.tokens = pulumi.secret(pulumi.all(Object.fromEntries(tokens)));
    this.registerOutputs({ stacks: this.stacks });
  }

  /** Secret. */
  tokenOf(stack: string): pulumi.Output<string> {
    if (!this.stacks.includes(stack)) throw new Error(`${stack} has no grants`);
    return this.tokens.apply((tokens) => tokens[stack] as string);
  }

  private stackToken(name: string, grant: StackGrant): pulumi.Output<string> {
    const { stack } = grant;
    const mount = new AuthBackend(
      `${name}-mount`,
      { type: "kubernetes", path: authMountOf(stack), description: `Service accounts of the cluster ${stack}` },
      this.child(),
    );
    const roles = grant.namespaces.map((namespace) => this.role(`${name}-${namespace.role}`, stack, namespace, mount.path));
    const policy = new Policy(`${name}-policy`, { name: stackPolicyName(stack), policy: stackPolicy(grant) }, this.child());
    const token = new Token(
      `${name}-token`,
      {
        policies: [policy.name],
        displayName: `homelab-stack-${stack}`,
        noParent: true,
        noDefaultPolicy: true,
        renewable: true,
        period: PERIOD,
        renewMinLease: YEAR_SECONDS,
        renewIncrement: TEN_YEARS_SECONDS,
      },
      // Whoever has the token can rely on the mount and the roles of its cluster.
      this.child({ additionalSecretOutputs: ["clientToken"], dependsOn: [mount, ...roles] }),
    );
    return token.clientToken;
  }

  private role(name: string, stack: string, grant: NamespaceGrant, mount: pulumi.Input<string>): AuthBackendRole {
    const policy = new Policy(`${name}-policy`, { name: namespacePolicyName(stack, grant.role), policy: readPolicy(grant.paths) }, this.child());
    return new AuthBackendRole(
      `${name}-role`,
      {
        backend: mount,
        roleName: grant.role,
        audience: VAULT_AUDIENCE,
        boundServiceAccountNames: [grant.reader],
        boundServiceAccountNamespaces: [grant.namespace],
        tokenPolicies: [policy.name],
        tokenTtl: LEASE_SECONDS,
      },
      this.child(),
    );
  }
}

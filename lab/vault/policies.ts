/** sys/policies/acl and the older sys/policy: keeping policies, and what a token may do with them. */
import { type Answer, type Call, type Core, noRoute } from "./core";
import { badRequest, notFound, unsupported } from "./errors";
import { HclError } from "./hcl";
import { capabilitiesOn, NotModelled, parsePolicy, type Rule } from "./policy";
import type { VaultToken } from "./state";
import { list, text } from "./values";

export class Policies {
  /** Parsed once for each text. */
  readonly #rules = new Map<string, Rule[]>();

  constructor(private readonly core: Core) {}

  #parsed(source: string): Rule[] {
    const known = this.#rules.get(source) ?? parsePolicy(source);
    this.#rules.set(source, known);
    return known;
  }

  rulesOf(token: VaultToken): Rule[] {
    return token.policies.flatMap((name) => this.#parsed(this.core.state.policies[name] ?? ""));
  }

  /** `["root"]`, or what the token's policies give; empty = denied. */
  capabilities(token: VaultToken, path: string): string[] {
    return token.policies.includes("root") ? ["root"] : capabilitiesOn(this.rulesOf(token), path);
  }

  capabilitiesSelf(token: VaultToken, body: Record<string, unknown>): Answer {
    const paths = list(body["paths"] ?? body["path"]);
    if (paths.length === 0) throw badRequest("paths must be supplied");
    const found = Object.fromEntries(
      paths.map((path) => {
        const given = this.capabilities(token, path.replace(/^\/+/, ""));
        return [path, given.length > 0 ? given : ["deny"]];
      }),
    );
    const data = paths.length === 1 ? { ...found, capabilities: found[paths[0] ?? ""] } : found;
    return { ...data, data };
  }

  /** @param path after `sys/`: `policies/acl…` or `policy…` */
  handle({ method, body }: Call, path: string): Answer {
    const legacy = path.startsWith("policy");
    const match = /^(?:policies\/acl|policy)(?:\/(.*))?$/.exec(path);
    if (match === null) throw noRoute(`sys/${path}`);
    const name = (match[1] ?? "").toLowerCase();
    const { policies } = this.core.state;
    if (name === "") {
      if (method !== "LIST" && !(legacy && method === "GET")) throw unsupported();
      const keys = ["root", ...Object.keys(policies)].sort();
      return legacy ? { keys, policies: keys, data: { keys, policies: keys } } : { data: { keys } };
    }
    switch (method) {
      case "GET": {
        const policy = name === "root" ? "" : policies[name];
        if (policy === undefined) throw notFound();
        return legacy ? { name, rules: policy, data: { name, rules: policy } } : { data: { name, policy } };
      }
      case "DELETE":
        if (name === "default" || name === "root") throw badRequest(name === "root" ? `cannot delete "root" policy` : "cannot delete default policy");
        if (policies[name] === undefined) return undefined;
        delete policies[name];
        break;
      case "POST":
      case "PUT": {
        const source = text(body["policy"] ?? body["rules"]);
        if (source === "") throw badRequest("'policy' parameter not supplied or empty");
        if (name === "root") throw badRequest(`cannot update "root" policy`);
        this.#check(source);
        if (policies[name] !== source) {
          policies[name] = source;
          this.core.record("write", `policy ${name}`);
        }
        return name === match[1] ? undefined : { warnings: [`policy name was converted to ${name}`] };
      }
      default:
        throw unsupported();
    }
    this.core.record("write", `policy ${name}`);
    return undefined;
  }

  #check(source: string): void {
    try {
      this.#parsed(source);
    } catch (thrown) {
      if (thrown instanceof NotModelled) throw this.core.notModelled(`policy: ${thrown.message}`, badRequest(`${thrown.message} is not modelled by the lab`));
      if (thrown instanceof HclError) throw badRequest(`failed to parse policy: ${thrown.message}`);
      throw thrown;
    }
  }
}

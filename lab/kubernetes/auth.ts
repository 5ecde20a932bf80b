/** Who asks, and whether they may: client certificates, service account tokens, RBAC (engine: kube-apiserver 1.34). */
import { createHash, createSign, createVerify, generateKeyPairSync, randomUUID } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { TLSSocket } from "node:tls";
import type { Clock } from "../../common/clock";
import { type KubeObject, listAt, mapAt } from "./objects";
import { forbidden, StatusError } from "./status";
import type { ObjectStore } from "./store";

export interface User {
  name: string;
  groups: string[];
  uid?: string;
  extra?: Record<string, string[]>;
}

const ANONYMOUS: User = { name: "system:anonymous", groups: ["system:unauthenticated"] };

const base64url = (value: string): string => Buffer.from(value).toString("base64url");

export interface SigningKey {
  privateKey: string;
  publicKey: string;
}

export function newSigningKey(): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return { privateKey: String(privateKey.export({ type: "pkcs8", format: "pem" })), publicKey: String(publicKey.export({ type: "spki", format: "pem" })) };
}

interface Claims {
  sub: string;
  aud: string[];
  exp: number;
  namespace: string;
  name: string;
  uid: string;
}

/** Makes and reads tokens of service accounts. */
export class Tokens {
  constructor(
    private readonly key: SigningKey,
    private readonly clock: Clock,
  ) {}

  issue(account: KubeObject, audiences: readonly string[], seconds: number): { token: string; expires: string } {
    const now = Math.floor(this.clock.now() / 1000);
    const { namespace = "", name, uid = "" } = account.metadata;
    const header = base64url(
      JSON.stringify({ alg: "ES256", typ: "JWT", kid: createHash("sha256").update(this.key.publicKey).digest("base64url").slice(0, 16) }),
    );
    const payload = base64url(
      JSON.stringify({
        aud: audiences,
        exp: now + seconds,
        iat: now,
        iss: "https://kubernetes.default.svc.cluster.local",
        jti: randomUUID(),
        "kubernetes.io": { namespace, serviceaccount: { name, uid } },
        nbf: now,
        sub: `system:serviceaccount:${namespace}:${name}`,
      }),
    );
    const signature = createSign("SHA256").update(`${header}.${payload}`).sign({ key: this.key.privateKey, dsaEncoding: "ieee-p1363" }).toString("base64url");
    return { token: `${header}.${payload}.${signature}`, expires: new Date((now + seconds) * 1000).toISOString().replace(/\.\d{3}Z$/, "Z") };
  }

  /** The claims of a token that we signed and that still holds; undefined otherwise. */
  read(token: string): Claims | undefined {
    const [header, payload, signature] = token.split(".");
    if (header === undefined || payload === undefined || signature === undefined) return undefined;
    const valid = createVerify("SHA256")
      .update(`${header}.${payload}`)
      .verify({ key: this.key.publicKey, dsaEncoding: "ieee-p1363" }, Buffer.from(signature, "base64url"));
    if (!valid) return undefined;
    const claims = JSON.parse(Buffer.from(payload, "base64url").toString("utf8")) as {
      sub: string;
      aud: string[];
      exp: number;
      "kubernetes.io": { namespace: string; serviceaccount: { name: string; uid: string } };
    };
    if (claims.exp * 1000 < this.clock.now()) return undefined;
    const { namespace, serviceaccount } = claims["kubernetes.io"];
    return { sub: claims.sub, aud: claims.aud, exp: claims.exp, namespace, name: serviceaccount.name, uid: serviceaccount.uid };
  }

  /** The user of a token whose account still exists. */
  user(token: string, store: ObjectStore): User | undefined {
    const claims = this.read(token);
    if (claims === undefined) return undefined;
    const account = store.one("v1", "ServiceAccount", claims.namespace, claims.name);
    if (account?.metadata.uid !== claims.uid) return undefined;
    return { name: claims.sub, groups: ["system:serviceaccounts", `system:serviceaccounts:${claims.namespace}`, "system:authenticated"], uid: claims.uid };
  }
}

/** A connection has one certificate, and reading it takes longer than answering the request. */
const certificateUsers = new WeakMap<TLSSocket, User>();

/** The user that a client's certificate names. */
function userOfCertificate(socket: TLSSocket): User | undefined {
  const known = certificateUsers.get(socket);
  if (known !== undefined) return known;
  const { subject } = socket.getPeerCertificate();
  if (subject?.CN === undefined) return undefined;
  const groups = subject.O === undefined ? [] : Array.isArray(subject.O) ? subject.O : [subject.O];
  const user = { name: String(subject.CN), groups: [...groups, "system:authenticated"] };
  certificateUsers.set(socket, user);
  return user;
}

/** undefined: credentials were given, and are wrong. */
export function authenticate(socket: TLSSocket, authorization: string | undefined, tokens: Tokens, store: ObjectStore): User | undefined {
  if (authorization?.startsWith("Bearer ")) return tokens.user(authorization.slice("Bearer ".length), store);
  return (socket.authorized ? userOfCertificate(socket) : undefined) ?? ANONYMOUS;
}

/** Headers by which a user acts as another one, and what the lab does not model of them. */
const IMPERSONATE = /^impersonate-/;

/**
 * Who a request is made as: itself, or the user that it names in headers (`kubectl --as`).
 * @throws StatusError 403 for a user that may not, 501 for a header that the lab does not model
 */
export function actingAs(user: User, headers: IncomingHttpHeaders, store: ObjectStore): User {
  const given = Object.keys(headers).filter((name) => IMPERSONATE.test(name));
  if (given.length === 0) return user;
  const strange = given.find((name) => name !== "impersonate-user" && name !== "impersonate-group");
  if (strange !== undefined) throw new StatusError(501, "NotImplemented", `the header ${strange} is not modelled by the lab`);
  const name = String(headers["impersonate-user"] ?? "");
  const groups = String(headers["impersonate-group"] ?? "")
    .split(", ")
    .filter((group) => group !== "");
  const wanted = [{ resource: "users", name }, ...groups.map((group) => ({ resource: "groups", name: group }))];
  for (const each of wanted)
    if (!authorize(user, { verb: "impersonate", group: "", subresource: undefined, namespace: undefined, ...each }, store))
      throw forbidden(
        `${each.resource} "${each.name}" is forbidden: User "${user.name}" cannot impersonate resource "${each.resource}" in API group "" at the cluster scope`,
        {},
      );
  return { name, groups: [...groups, "system:authenticated"] };
}

export interface Access {
  verb: string;
  group: string;
  resource: string;
  subresource: string | undefined;
  namespace: string | undefined;
  name: string | undefined;
}

const covers = (list: unknown, wanted: string): boolean => Array.isArray(list) && (list.includes("*") || list.includes(wanted));

function ruleAllows(rule: Record<string, unknown>, access: Access): boolean {
  const resource = access.subresource === undefined ? access.resource : `${access.resource}/${access.subresource}`;
  const names = rule["resourceNames"];
  const named = !Array.isArray(names) || names.length === 0 || (access.name !== undefined && names.includes(access.name));
  const sub = access.subresource !== undefined && Array.isArray(rule["resources"]) && rule["resources"].includes(`*/${access.subresource}`);
  return covers(rule["verbs"], access.verb) && covers(rule["apiGroups"], access.group) && (covers(rule["resources"], resource) || sub) && named;
}

function subjectMatches(subject: Record<string, unknown>, user: User): boolean {
  switch (subject["kind"]) {
    case "User":
      return subject["name"] === user.name;
    case "Group":
      return user.groups.includes(String(subject["name"]));
    case "ServiceAccount":
      return user.name === `system:serviceaccount:${String(subject["namespace"])}:${String(subject["name"])}`;
    default:
      return false;
  }
}

const RBAC = "rbac.authorization.k8s.io/v1";

/** Built-in cluster roles that charts bind to. */
const BUILTIN_RULES: Record<string, Record<string, unknown>[]> = {
  "cluster-admin": [{ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }],
  "system:auth-delegator": [
    { apiGroups: ["authentication.k8s.io"], resources: ["tokenreviews"], verbs: ["create"] },
    { apiGroups: ["authorization.k8s.io"], resources: ["subjectaccessreviews"], verbs: ["create"] },
  ],
};

/** A rule of RBAC. The caller decides whether it applies to one namespace or to all. */
export type Rule = Record<string, unknown>;

/** Rules that are granted to a user: in the cluster, and in a namespace. */
export function rulesFor(user: User, namespace: string | undefined, store: ObjectStore): Rule[] {
  if (user.groups.includes("system:masters")) return [{ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }];
  const rulesOf = (reference: Record<string, unknown>, inside: string | undefined): Rule[] => {
    const name = String(reference["name"]);
    const role = reference["kind"] === "ClusterRole" ? store.one(RBAC, "ClusterRole", undefined, name) : store.one(RBAC, "Role", inside, name);
    return role === undefined ? (BUILTIN_RULES[name] ?? []) : listAt(role, "rules");
  };
  const bound = (binding: KubeObject): boolean => listAt(binding, "subjects").some((subject) => subjectMatches(subject, user));
  const granted = (bindings: readonly KubeObject[], inside: string | undefined): Rule[] =>
    bindings.filter(bound).flatMap((binding) => rulesOf(mapAt(binding, "roleRef"), inside));
  return [
    ...granted(store.all(RBAC, "ClusterRoleBinding"), undefined),
    ...(namespace === undefined ? [] : granted(store.all(RBAC, "RoleBinding", namespace), namespace)),
  ];
}

export function authorize(user: User, access: Access, store: ObjectStore): boolean {
  if (access.group === "authorization.k8s.io" && access.resource.startsWith("selfsubject")) return user.groups.includes("system:authenticated");
  return rulesFor(user, access.namespace, store).some((rule) => ruleAllows(rule, access));
}

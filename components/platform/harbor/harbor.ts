import { Command } from "@pulumi/command/local/command";
import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource";
import { Deployment } from "@pulumi/kubernetes/apps/v1/deployment";
import { Service } from "@pulumi/kubernetes/core/v1/service";
import * as pulumi from "@pulumi/pulumi";
import { ERRORS_ONLY } from "../../base/command-log";
import { Component, timeouts } from "../../base/component";
import { Credentials } from "../../base/credentials";
import { HelmRelease } from "../../base/helm-release";
import { Namespace, type NamespaceArgs } from "../../base/namespace";
import { Persistence } from "../../base/persistence";
import { PostgresDatabase } from "../../base/postgres-database";
import { WebIngress } from "../../base/web-ingress";
import type { BuildModule } from "../context";
import { credentialMark } from "../credential-mark";
import { deploymentOf, serviceOf } from "../part";
import { POSTGRES_CLUSTER, POSTGRES_NAMESPACE } from "../postgres/values";
import { FIRST_KEYS, type HarborOptions, KEYS, ownSecrets, REMOTES } from "./options";
import type { HarborTask } from "./set-up";
import {
  CREDENTIALS_SECRET,
  DATABASE_SECRET,
  HARBOR_CHART,
  HARBOR_NAMESPACE,
  harborValues,
  SECRET_KEYS,
  SIZES,
  TOKEN_SECRET,
  VALKEY_CLAIM,
  VALKEY_SECRET,
  valkeyOfHarbor,
} from "./values";

type Text = pulumi.Input<string>;

export interface HarborArgs {
  namespace: NamespaceArgs;
  options: HarborOptions;
  storageClass: string;
  /** Full name under which it is reached. */
  host: string;
  ingressClass: string;
  issuer: Text;
  /** Folder of the checkout, in which its set-up runs. */
  checkout: string;
  /** A value of its entries. Secret. */
  secret: (key: string) => pulumi.Output<string>;
  /** The secret of each account, by its name. */
  robots: Readonly<Record<string, Text>>;
}

/** Harbor with its database in Postgres, a Valkey of its own, projects, accounts and retention rules. Images stay when it is deleted. */
export class Harbor extends Component {
  readonly url: pulumi.Output<string>;

  constructor(name: string, args: HarborArgs, opts?: pulumi.ComponentResourceOptions) {
    super("platform:Harbor", name, opts);
    const { options, secret, storageClass, host } = args;
    const { namespace } = new Namespace(`${name}-ns`, args.namespace, this.child());
    const database = new PostgresDatabase(
      `${name}-database`,
      { namespace: POSTGRES_NAMESPACE, cluster: POSTGRES_CLUSTER, database: options.database, owner: options.database, password: secret(KEYS.database) },
      this.child(),
    );
    const values = Object.fromEntries(Object.entries(SECRET_KEYS).map(([key, own]) => [key, secret(own)]));
    const own = new Credentials(`${name}-credentials`, { name: CREDENTIALS_SECRET, namespace, values }, this.child());
    const login = new Credentials(`${name}-database-login`, { name: DATABASE_SECRET, namespace, values: { password: secret(KEYS.database) } }, this.child());
    const { service: queues, login: queuesLogin } = this.#valkey(name, args, namespace);
    const token = this.#token(name, namespace);
    const release = new HelmRelease(
      name,
      {
        releaseName: "harbor",
        namespace,
        chart: HARBOR_CHART,
        values: harborValues({ ...options, host, storageClass, credentialMark: credentialMark("harbor", Object.values(KEYS).map(secret)) }),
        timeoutMinutes: 15,
      },
      this.child({ dependsOn: [database, own, login, queues, queuesLogin, token] }),
    );
    const route = { namespace, className: args.ingressClass, issuer: args.issuer, host, service: release.releaseName, port: 80 };
    this.url = new WebIngress(name, route, this.child()).url;
    this.#setUp(name, args, this.url);
    this.registerOutputs({ url: this.url });
  }

  #valkey(name: string, { secret, storageClass }: HarborArgs, namespace: pulumi.Output<string>): { service: Service; login: Credentials } {
    const password = secret(KEYS.valkey);
    const login = new Credentials(`${name}-valkey-login`, { name: VALKEY_SECRET, namespace, values: { REDIS_PASSWORD: password } }, this.child());
    const { claimName } = new Persistence(`${name}-valkey`, { name: VALKEY_CLAIM, namespace, size: SIZES.valkey, storageClass, keep: false }, this.child());
    const part = valkeyOfHarbor<Text>(login.secretName, claimName, credentialMark(VALKEY_SECRET, [password]));
    const deployment = new Deployment(`${name}-valkey-deployment`, deploymentOf<Text>(part, namespace), this.child({ customTimeouts: timeouts(10) }));
    const service = new Service(
      `${name}-valkey-service`,
      serviceOf<Text>(part, namespace),
      this.child({ dependsOn: [deployment], customTimeouts: timeouts(10) }),
    );
    return { service, login };
  }

  /** The self-signed certificate for Harbor's tokens; only Harbor's parts check it. The chart would generate a new key at each render. */
  #token(name: string, namespace: pulumi.Output<string>): CustomResource {
    const apiVersion = "cert-manager.io/v1";
    const issuer = new CustomResource(
      `${name}-token-issuer`,
      { apiVersion, kind: "Issuer", metadata: { name: TOKEN_SECRET, namespace }, spec: { selfSigned: {} } },
      this.child(),
    );
    return new CustomResource(
      `${name}-token`,
      {
        apiVersion,
        kind: "Certificate",
        metadata: { name: TOKEN_SECRET, namespace, annotations: { "pulumi.com/waitFor": "condition=Ready" } },
        spec: {
          secretName: TOKEN_SECRET,
          commonName: "harbor-token",
          issuerRef: { name: issuer.metadata.name, kind: "Issuer" },
          // Ten years: another key would invalidate every token at once.
          duration: "87600h",
          privateKey: { algorithm: "RSA", size: 4096, rotationPolicy: "Never" },
        },
      },
      this.child({ customTimeouts: timeouts(10) }),
    );
  }

  /** Sets up projects and accounts by Harbor's API: no resource of a provider does that. */
  #setUp(name: string, { options: { projects, robots }, robots: secrets, secret, checkout }: HarborArgs, url: pulumi.Output<string>): void {
    const task = pulumi.all([url, secret(FIRST_KEYS.admin), pulumi.output(secrets)]).apply(
      ([address, password, robotSecrets]): HarborTask => ({
        address,
        password,
        projects: Object.entries(projects).map(([project, { proxyOf, ...rest }]) => ({
          name: project,
          ...rest,
          ...(proxyOf === undefined ? {} : { proxyOf: { name: proxyOf, kind: REMOTES[proxyOf].kind, url: REMOTES[proxyOf].url } }),
        })),
        robots: Object.entries(robots).map(([robot, { projects: own }]) => ({ name: robot, projects: own, secret: robotSecrets[robot] ?? "" })),
      }),
    );
    new Command(
      `${name}-set-up`,
      {
        create: "node bin/components/platform/harbor/set-up.main.js",
        dir: checkout,
        stdin: pulumi.secret(task.apply((known) => JSON.stringify(known))),
        logging: ERRORS_ONLY,
        addPreviousOutputInEnv: false,
      },
      // The path of the checkout says nothing about Harbor. For `logging` see base/command-log.ts.
      this.child({ ignoreChanges: ["dir", "logging"], customTimeouts: timeouts(15) }),
    );
  }
}

export const buildHarbor: BuildModule<HarborOptions> = (name, { options, context }, opts) => {
  const { domain, ingressClass, storageClass } = context.place;
  const component = new Harbor(
    name,
    {
      namespace: context.namespace(HARBOR_NAMESPACE),
      options,
      storageClass: options.storageClass ?? storageClass,
      host: `${options.host}.${domain}`,
      ingressClass,
      issuer: context.need("issuer"),
      checkout: context.checkout,
      secret: (key) => context.programSecrets.get(ownSecrets(options).find((one) => one.key === key)?.path ?? options.path, key),
      robots: Object.fromEntries(Object.entries(options.robots).map(([robot, { path, key }]) => [robot, context.programSecrets.get(path, key)])),
    },
    opts,
  );
  return { component, urls: { registry: component.url } };
};

import { Deployment } from "@pulumi/kubernetes/apps/v1/deployment";
import { PersistentVolume } from "@pulumi/kubernetes/core/v1/persistentVolume";
import { PersistentVolumeClaim } from "@pulumi/kubernetes/core/v1/persistentVolumeClaim";
import { Service } from "@pulumi/kubernetes/core/v1/service";
import type * as pulumi from "@pulumi/pulumi";
import { after, Component, timeouts } from "../../base/component";
import { Credentials } from "../../base/credentials";
import { Namespace, type NamespaceArgs } from "../../base/namespace";
import { Persistence } from "../../base/persistence";
import { PostgresDatabase } from "../../base/postgres-database";
import { WebIngress } from "../../base/web-ingress";
import type { BuildModule } from "../context";
import { credentialMark } from "../credential-mark";
import { deploymentOf, serviceOf } from "../part";
import type { ImmichOptions } from "./options";
import {
  CACHE_CLAIM,
  DATABASE,
  DATABASE_SERVERS,
  IMMICH_EXTENSIONS,
  IMMICH_NAMESPACE,
  immichServers,
  LIBRARY_CLAIM,
  learningPart,
  libraryVolume,
  SERVER_PORT,
  serverPart,
  valkeyPart,
} from "./values";

export interface ImmichArgs {
  namespace: NamespaceArgs;
  options: ImmichOptions;
  storageClass: string;
  hostName: string;
  ingressClass: string;
  issuer: pulumi.Input<string>;
  /** Secret. */
  passwords: { readonly database: pulumi.Input<string>; readonly valkey: pulumi.Input<string> };
}

type Text = pulumi.Input<string>;

/** Immich with all that it needs. Database and library stay when it is deleted. */
export class Immich extends Component {
  readonly url: pulumi.Output<string>;

  constructor(name: string, args: ImmichArgs, opts?: pulumi.ComponentResourceOptions) {
    super("platform:Immich", name, opts);
    const { options, storageClass } = args;
    const { namespace } = new Namespace(`${name}-ns`, args.namespace, this.child());
    const servers = immichServers(options, storageClass);
    const database = new PostgresDatabase(
      `${name}-database`,
      { namespace, cluster: DATABASE_SERVERS, servers, database: DATABASE, owner: DATABASE, password: args.passwords.database, extensions: IMMICH_EXTENSIONS },
      this.child(),
    );
    const { secretName: valkey } = new Credentials(
      `${name}-valkey`,
      { name: "immich-valkey", namespace, values: { password: args.passwords.valkey } },
      this.child(),
    );
    const { claimName: models } = new Persistence(
      `${name}-models`,
      { name: CACHE_CLAIM, namespace, size: options.cacheSize, storageClass, keep: false },
      this.child(),
    );
    const mark = (...of: Text[]) => credentialMark("immich", of);
    const queues = this.part(name, valkeyPart<Text>(valkey, mark(args.passwords.valkey)), namespace);
    const learning = this.part(name, learningPart<Text>(options.version, models), namespace);
    const library = this.library(name, options, namespace);
    const part = serverPart<Text>({
      options,
      library,
      database: { secret: database.secretName },
      valkey: { secret: valkey },
      credentials: mark(args.passwords.database, args.passwords.valkey),
    });
    // The server migrates its database when it starts, so it comes after these.
    const server = this.part(name, part, namespace, [database, queues, learning]);
    const route = { host: args.hostName, namespace, service: after(server, part.name), port: SERVER_PORT, className: args.ingressClass, issuer: args.issuer };
    this.url = new WebIngress(name, route, this.child()).url;
    this.registerOutputs({ url: this.url });
  }

  private part(name: string, part: Parameters<typeof deploymentOf<Text>>[0], namespace: Text, dependsOn: pulumi.Resource[] = []): pulumi.Resource {
    const own = part.name.replace(/^immich/, name);
    const deployment = new Deployment(`${own}-deployment`, deploymentOf<Text>(part, namespace), this.child({ dependsOn, customTimeouts: timeouts(20) }));
    return new Service(`${own}-service`, serviceOf<Text>(part, namespace), this.child({ dependsOn: [deployment], customTimeouts: timeouts(10) }));
  }

  /** A volume of the folder, and a claim that binds to that volume only. */
  private library(name: string, options: ImmichOptions, namespace: pulumi.Output<string>): pulumi.Output<string> {
    const volume = new PersistentVolume(
      `${name}-library-volume`,
      libraryVolume(options, { name: LIBRARY_CLAIM, namespace: IMMICH_NAMESPACE }),
      this.child({ customTimeouts: timeouts(10) }),
    );
    const claim = new PersistentVolumeClaim(
      `${name}-library-claim`,
      {
        metadata: { name: LIBRARY_CLAIM, namespace },
        spec: {
          accessModes: ["ReadWriteOnce"],
          storageClassName: "",
          volumeName: volume.metadata.name,
          resources: { requests: { storage: options.librarySize } },
        },
      },
      this.child({ customTimeouts: timeouts(10) }),
    );
    return after(claim, LIBRARY_CLAIM);
  }
}

export const buildImmich: BuildModule<ImmichOptions> = (name, { options, context }, opts) => {
  const { domain, ingressClass, storageClass } = context.place;
  const password = (key: string) => context.programSecrets.get(options.path, key);
  const component = new Immich(
    name,
    {
      namespace: context.namespace(IMMICH_NAMESPACE),
      options,
      storageClass: options.storageClass ?? storageClass,
      hostName: `${options.host}.${domain}`,
      ingressClass,
      issuer: context.need("issuer"),
      passwords: { database: password("DB_PASSWORD"), valkey: password("VALKEY_PASSWORD") },
    },
    opts,
  );
  return { component, urls: { immich: component.url } };
};

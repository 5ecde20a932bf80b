import type { Clock } from "../../common/clock";
import type { FaultName } from "./faults";

/** The outside world's systems, as the lab's records name them; one that is written here can be kept and read again. */
export const LAB_SYSTEMS = ["proxmox", "ssh", "kubernetes", "vault", "s3", "harbor", "artefacts", "pihole", "git"] as const;
export type LabSystem = (typeof LAB_SYSTEMS)[number];

/** What a simulator says about one call that it answered. */
export interface RecordEntry {
  system: LabSystem;
  /** The thing that was called: a node, an address, a cluster, … */
  target: string;
  /** "write" only for what changed something; a login, a dry run, a TokenReview or an unchanged file is a read. */
  kind: "read" | "write";
  /** Short and stable, for tests: `clone`, `vm-start`, `apply Namespace/cert-manager`, `kv-put clusters/dev/kubeconfig`. Never a secret. */
  action: string;
  /** Plain JSON for a reader; never a secret. */
  detail?: unknown;
}

export interface StampedRecord extends RecordEntry {
  /** 1, 2, 3 …; grows over the life of a lab folder (old reads are dropped, so there can be gaps). */
  seq: number;
  /** ISO 8601. */
  at: string;
}

export interface Records {
  add(entry: RecordEntry): void;
  /** Those after `seq` (default: all), oldest first. */
  since(seq?: number): StampedRecord[];
}

/** A call that the lab does not model; each one fails a test. */
export interface UnhandledEntry {
  system: string;
  target: string;
  /** `POST /api2/json/nodes/pve1/lxc`, `command not found: pveum`, … */
  what: string;
}

export interface Unhandled {
  add(entry: UnhandledEntry): void;
  all(): (UnhandledEntry & { at: string })[];
}

/** Where a production address really listens: a port on 127.0.0.1. */
export interface LocalPort {
  port: number;
}

/** The homelab's network and the internet behind it, as far as they exist. */
export interface Network {
  /**
   * Makes a production address reachable.
   * @param host an IPv4 address or a DNS name
   * @throws HomelabError E_LAB_ADDRESS_TAKEN when something listens there already
   */
  listen(host: string, port: number, local: LocalPort): void;
  /** Nothing happens when nothing listens there. */
  unlisten(host: string, port: number): void;
  /** Adds a resolver for names that are not listened on, such as hosts of an ingress. Resolvers are asked in the order of adding. Returns its removal. */
  addResolver(resolver: (host: string, port: number) => LocalPort | undefined): () => void;
  /**
   * Makes the homelab's name server known to the gateways and to the programs in the lab. Returns its removal.
   * @param lookup the address of a name; undefined = not known
   */
  serveNames(lookup: (name: string) => string | undefined): () => void;
  /**
   * The address of a name as the homelab's name server has it.
   * @returns undefined where it does not know the name, "no name server" where none is up
   */
  addressOf(name: string): string | "no name server" | undefined;
  /** Whether a host is one of the homelab's own. If such a host is down, that is part of the simulation and not a gap of the lab. */
  isOwn(host: string): boolean;
  /** undefined = connection refused. */
  resolve(host: string, port: number): LocalPort | undefined;
}

/** PEM texts. `cert` is the leaf certificate alone; the authority's own certificate is `caPem`. */
export interface KeyPair {
  cert: string;
  key: string;
}

/** A certificate authority with EC P-256 keys. */
export interface Authority {
  caPem: string;
  /** Server certificate for DNS names and IP addresses. @param options expired: it expired yesterday */
  issue(names: readonly string[], options?: { expired?: boolean }): Promise<KeyPair>;
  /** Client certificate: `cn` is the user, `orgs` are its groups. */
  issueClient(cn: string, orgs: readonly string[]): Promise<KeyPair>;
  /** For the snapshot; feed to `restoreAuthority` of lab/core/tls. */
  save(): KeyPair;
}
export type LabTls = Authority;

/** Faults wait in a queue by name until the simulator that models them takes them. docs/lab.md lists every name. */
export interface Faults {
  /**
   * The oldest queued fault of that name for this target (or queued for any target), or undefined. Taking uses it up.
   * The value is the fault's `parameters`, `{}` when it has none.
   */
  take(name: FaultName, target: string): FaultParameters | undefined;
}
export type FaultParameters = Readonly<Record<string, unknown>>;

/** Milliseconds that a named piece of work takes; docs/lab.md lists names and defaults. Unknown names take no time. */
export interface Latency {
  of(name: string): number;
}

/** What every simulator gets. */
export interface LabContext {
  clock: Clock;
  latency: Latency;
  records: Records;
  unhandled: Unhandled;
  network: Network;
  /** The lab's public CA: what the outside world's servers present. Clusters have authorities of their own (`createAuthority`). */
  tls: LabTls;
  faults: Faults;
  /** Says that state worth keeping changed; the snapshot follows within a second. Call it after a change, as often as you like. */
  changed(): void;
}

/** State as plain JSON, for the snapshot. */
export interface Persistent {
  save(): unknown;
  restore(state: unknown): Promise<void>;
}

/** A running simulator. */
export interface Stoppable {
  stop(): Promise<void>;
}

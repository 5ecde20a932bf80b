import { defineModule } from "../module";
import { type StateBackupOptions, stateBackupOptions } from "./options";
import { endpointOf, keysSecret, STATE_BACKUP_NAMESPACE, STATE_BACKUP_RESOURCES } from "./values";

const POSTGRES_PORT = 5432;

const addresses = ({ states, places }: StateBackupOptions, domain: string): string[] => [
  ...new Set([states, ...Object.values(places)].map((storage) => new URL(endpointOf(storage, { domain })).origin)),
];

export const stateBackup = defineModule({
  name: "state-backup",
  summary: "each night every stack's state and the databases that are named, encrypted to the recipients of age, to two places at least",
  options: stateBackupOptions,
  example: {
    places: {
      here: { bucket: "backups", user: "state-backup", secretKey: { path: "store/A", key: "one" } },
      elsewhere: {
        endpoint: "https://s3.eu-central-1.example.net",
        bucket: "homelab",
        user: { path: "store/A", key: "one" },
        secretKey: { path: "store/A", key: "two" },
      },
    },
  },
  parts: (options, { domain }) => ({
    namespaces: [STATE_BACKUP_NAMESPACE],
    needs: ["external-secrets", "cluster-access"],
    namespaceSecrets: [{ namespace: STATE_BACKUP_NAMESPACE, wanted: [keysSecret(options)] }],
    flows: [
      ...addresses(options, domain).map((peer) => ({ direction: "out" as const, peer, port: Number(new URL(peer).port || 443), why: "states and backups" })),
      ...Object.entries(options.databases).map(([name, { namespace, host }]) => ({
        direction: "out" as const,
        peer: namespace ?? "homelab",
        port: POSTGRES_PORT,
        why: `dumps ${name} of ${host}`,
      })),
    ],
    workloads: [{ name: "backup", ...STATE_BACKUP_RESOURCES, onDemand: true }],
  }),
  build: () => (require("./state-backup") as typeof import("./state-backup")).buildStateBackup,
});

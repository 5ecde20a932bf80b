/** Configurations of a box's collectors. Pure. */
import { HEALTH_CHECK, MEMORY_LIMITER, OTLP_GRPC_PORT, OTLP_HTTP_PORT, OWN_ADDRESS, OWN_METRICS, variable } from "../otel-collector/chart";
import { BOX_NAMESPACE, HUB_VARIABLE } from "./names";
import type { BoxOptions } from "./options";
import { NODE_NAME, scrapeConfigs } from "./scrape";

/** @typeParam T text, or an output of one */
export interface Hub<T> {
  /** Full name. */
  readonly host: string;
  /** User as which it sends. */
  readonly user: string;
  /** Authority to trust there beside the public ones, as PEM. Undefined: the public ones only. */
  readonly authority: T | undefined;
}

const AUTHENTICATOR = "basicauth/hub";
/** Folder of the machine that stores how far each file has been read, and what the hub has not accepted yet. */
export const STATE_FOLDER = "/var/lib/otelcol";

const login = (user: string) => ({ [AUTHENTICATOR]: { client_auth: { username: user, password: variable(HUB_VARIABLE) } } });

const toHub = <T>({ host, authority }: Hub<T>, storage?: string) => ({
  "otlp_http/hub": {
    endpoint: `https://${host}`,
    auth: { authenticator: AUTHENTICATOR },
    ...(authority === undefined ? {} : { tls: { ca_pem: authority, include_system_ca_certs_pool: true } }),
    // The hub may be down for a while: nothing is dropped before the queue is full.
    retry_on_failure: { max_elapsed_time: "0s" },
    sending_queue: { queue_size: 5000, ...(storage === undefined ? {} : { storage }) },
  },
});

/** Receives OTLP of the cluster's applications. Their flows say who may send. */
export const otlpConfig = <T>(hub: Hub<T>) => ({
  extensions: { ...HEALTH_CHECK, ...login(hub.user) },
  receivers: {
    otlp: { protocols: { grpc: { endpoint: `${OWN_ADDRESS}:${OTLP_GRPC_PORT}` }, http: { endpoint: `${OWN_ADDRESS}:${OTLP_HTTP_PORT}` } } },
  },
  processors: { ...MEMORY_LIMITER, batch: {} },
  exporters: toHub(hub),
  service: {
    extensions: ["health_check", AUTHENTICATOR],
    telemetry: OWN_METRICS,
    pipelines: Object.fromEntries(
      ["traces", "metrics", "logs"].map((signal) => [signal, { receivers: ["otlp"], processors: ["memory_limiter", "batch"], exporters: ["otlp_http/hub"] }]),
    ),
  },
});

const LOGS = {
  file_log: {
    include: ["/var/log/pods/*/*/*.log"],
    // Not its own logs: its lines about failed sends would be sent too, and fail again.
    exclude: [`/var/log/pods/${BOX_NAMESPACE}_*/*/*.log`],
    start_at: "beginning",
    include_file_path: true,
    include_file_name: false,
    // A part of a long line may end with a space that belongs to the line.
    preserve_trailing_whitespaces: true,
    storage: "file_storage",
    // A line that the pipeline has refused is read again.
    retry_on_failure: { enabled: true },
    // `<time> <stdout|stderr> <F|P> <text>`, as containerd writes it. Parts of a long line are joined. The pod is read from the path.
    operators: [{ type: "container", id: "containerd", format: "containerd", max_log_size: 1_048_576 }],
  },
} as const;

const PROCESSORS = ["memory_limiter", "resource/node", "batch"] as const;

/** Configuration of the agent on each machine. */
export const agentConfig = <T>(hub: Hub<T>, { metrics, scrape }: Pick<BoxOptions, "metrics" | "scrape">) => ({
  extensions: { ...HEALTH_CHECK, ...login(hub.user), file_storage: { directory: STATE_FOLDER, create_directory: true } },
  receivers: { ...LOGS, ...(metrics ? { prometheus: { config: { global: { scrape_interval: "30s" }, scrape_configs: scrapeConfigs(scrape) } } } : {}) },
  processors: {
    ...MEMORY_LIMITER,
    "resource/node": { attributes: [{ key: "k8s.node.name", value: variable(NODE_NAME), action: "upsert" }] },
    batch: {},
  },
  exporters: toHub(hub, "file_storage"),
  service: {
    extensions: ["health_check", AUTHENTICATOR, "file_storage"],
    telemetry: OWN_METRICS,
    pipelines: {
      logs: { receivers: ["file_log"], processors: PROCESSORS, exporters: ["otlp_http/hub"] },
      ...(metrics ? { metrics: { receivers: ["prometheus"], processors: PROCESSORS, exporters: ["otlp_http/hub"] } } : {}),
    },
  },
});

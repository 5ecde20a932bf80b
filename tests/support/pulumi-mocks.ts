/** A stand-in for the engine. It records what a program registers, and answers as the providers would. */
import * as pulumi from "@pulumi/pulumi";
import type { RegisterResourceRequest } from "@pulumi/pulumi/proto/resource_pb.js";

export interface Registered {
  type: string;
  name: string;
  inputs: Record<string, unknown>;
  /** false for components. */
  custom: boolean;
  provider: string | undefined;
  /** URNs that it waits for. */
  dependencies: string[];
  /** The id of the option `import`; empty without it. */
  importId: string;
  retainOnDelete: boolean;
  /** The URN of the option `deletedWith`; empty without it. */
  deletedWith: string;
}

/** A kubeconfig as k3s writes it. The values are made up. */
export const K3S_KUBECONFIG = `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: ${Buffer.from("-----BEGIN CERTIFICATE-----\nlab\n-----END CERTIFICATE-----\n").toString("base64")}
    server: https://127.0.0.1:6443
  name: default
contexts:
- context:
    cluster: default
    user: default
  name: default
current-context: default
kind: Config
preferences: {}
users:
- name: default
  user:
    client-certificate-data: Y2VydA==
    client-key-data: ZGVmYXVsdA==
`;

/** Outputs that each kind of resource adds to its inputs. */
const ADDED: Record<string, (args: pulumi.runtime.MockResourceArgs) => Record<string, unknown>> = {
  "proxmoxve:index/vmLegacy:VmLegacy": ({ inputs }) => ({
    networkDevices: inputs.networkDevices.map((device: object) => ({ ...device, macAddress: `02:00:00:00:00:${String(inputs.vmId % 100).padStart(2, "0")}` })),
  }),
  "command:remote:Command": ({ inputs }) => ({
    stdout: String(inputs.create).includes("k3s.yaml") && String(inputs.create).startsWith("sudo -n cat") ? K3S_KUBECONFIG : "",
    stderr: "",
  }),
  "command:local:Command": ({ inputs }) => ({
    stdout: /wait-ready|HOMELAB_FIRST_BOOT/.test(String(inputs.create))
      ? '{"bootId":"b","hostKey":"ssh-ed25519 AAAA","restartParts":{}}\n'
      : '{"id":"id-of-vault","token":"hvs.manager"}\n',
    stderr: "",
  }),
  "vault:index/token:Token": ({ inputs }) => ({ clientToken: `hvs.${inputs.displayName}` }),
  "kubernetes:core/v1:Secret": ({ inputs }) =>
    inputs.type === "kubernetes.io/service-account-token" ? { data: { token: Buffer.from("reviewer").toString("base64") } } : {},
};

const idOf = ({ type, name, inputs }: pulumi.runtime.MockResourceArgs): string => {
  if (type === "proxmoxve:download/fileLegacy:FileLegacy") return `${inputs.datastoreId}:import/${inputs.fileName}`;
  return type === "proxmoxve:index/vmLegacy:VmLegacy" ? String(inputs.vmId) : `${name}-id`;
};

/** The signature that marks a secret on the wire. */
const SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270";

/** The value without the marks of secrets. */
export function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  const map = value as Record<string, unknown>;
  if (map["4dabf18193072939515e22adb298388d"] === SECRET_SIGNATURE) return plain(map["value"]);
  return Object.fromEntries(Object.entries(map).map(([key, inner]) => [key, plain(inner)]));
}

export interface MockOptions {
  stack?: string;
  /** Default false. */
  preview?: boolean;
  /** Stack name to the outputs in its state. */
  references?: Record<string, Record<string, unknown>>;
  /** Contents of files that are read as root on hosts, by path. k3s's kubeconfig is always there. */
  files?: Readonly<Record<string, string>>;
  /** Gets each registration as the program sends it. */
  onRequest?: (request: RegisterResourceRequest) => void;
}

const NO_OPTIONS = { dependencies: [], importId: "", retainOnDelete: false, deletedWith: "" };
type Options = Pick<Registered, keyof typeof NO_OPTIONS>;

/** Options of registrations that Pulumi's mocks do not get, by type and name. */
function watchOptions(onRequest: MockOptions["onRequest"]): Map<string, Options> {
  const seen = new Map<string, Options>();
  const monitor = pulumi.runtime.getMonitor() as unknown as { registerResource(request: RegisterResourceRequest, callback: unknown): Promise<void> };
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, callback) => {
    const options = {
      dependencies: request.getDependenciesList(),
      importId: request.getImportid(),
      retainOnDelete: request.getRetainondelete() ?? false,
      deletedWith: request.getDeletedwith(),
    };
    seen.set(`${request.getType()} ${request.getName()}`, options);
    onRequest?.(request);
    return register(request, callback);
  };
  return seen;
}

/** Puts the stand-in in place of the engine. The list fills as resources are registered. */
export async function mockEngine(given: MockOptions = {}): Promise<Registered[]> {
  const registered: Registered[] = [];
  let options = new Map<string, Options>();
  await pulumi.runtime.setMocks(
    {
      newResource(args) {
        registered.push({
          type: args.type,
          name: args.name,
          inputs: args.inputs,
          custom: args.custom ?? true,
          provider: args.provider,
          ...(options.get(`${args.type} ${args.name}`) ?? NO_OPTIONS),
        });
        const read = args.type === "command:remote:Command" ? given.files?.[String(args.inputs.create).replace(/^sudo -n cat /, "")] : undefined;
        return { id: idOf(args), state: { ...args.inputs, ...ADDED[args.type]?.(args), ...(read === undefined ? {} : { stdout: read }) } };
      },
      call({ token, inputs }) {
        const stack = String(inputs.name).split("/").at(-1) ?? "";
        const outputs = given.references?.[stack];
        if (token !== "pulumi:pulumi:readStackOutputs" || outputs === undefined) throw new Error(`unexpected ${token} ${inputs.name}`);
        return { name: inputs.name, outputs };
      },
    },
    "homelab",
    given.stack ?? "dev",
    given.preview ?? false,
    "organization",
  );
  options = watchOptions(given.onRequest);
  return registered;
}

/** Waits until everything that was started has been registered. */
export async function settle(registered: readonly Registered[]): Promise<void> {
  let before = -1;
  while (registered.length !== before) {
    before = registered.length;
    // A turn of the event loop for each link of a chain of outputs. Nothing here waits for time to pass.
    for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
  }
}

/** The only resource of a type with a name. @throws Error when it was not registered, or twice */
export function only(registered: readonly Registered[], type: string, name?: string): Registered {
  const found = registered.filter((r) => r.type === type && (name === undefined || r.name === name));
  const [first] = found;
  if (first === undefined || found.length > 1)
    throw new Error(`${found.length} resources ${type} ${name ?? ""}; registered: ${registered.map((r) => `${r.type} ${r.name}`).join(", ")}`);
  return first;
}

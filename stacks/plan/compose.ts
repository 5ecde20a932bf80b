/**
 * Applications with what they depend on as one file of Docker Compose, for development on one's own machine. It is made from the same
 * description as the deployment. Plain data; loads no Pulumi SDK (https://github.com/compose-spec/compose-spec/blob/main/spec.md).
 */
import { HomelabError } from "../../common/errors";
import { isSecretValue } from "../../components/apps/app-spec";
import type { LoadedStack } from "../load/stacks";
import type { Plans, StackPlan } from "./plan";
import type { PlannedApp } from "./planned-app";
import { imageOf } from "./rendered-apps";

/** A service of the homelab that an application uses, with its local replacement. */
interface Dependency {
  readonly service: string;
  /** Port that identifies it in an application's flows. */
  readonly port: number;
  readonly definition: object;
}

/** Password of all local services. They listen on this machine only. */
const PASSWORD = "local-only";

const DEPENDENCIES: readonly Dependency[] = [
  {
    service: "nats",
    port: 4222,
    definition: { image: "docker.io/library/nats:2.12-alpine", command: ["--user", "apps", "--pass", PASSWORD, "-js"] },
  },
  {
    service: "redis",
    port: 6379,
    definition: {
      image: "docker.io/valkey/valkey:9.1-alpine",
      command: ["valkey-server", "--user", "default off", "--user", `apps on >${PASSWORD} ~* &* +@all`],
    },
  },
  {
    service: "postgres",
    port: 5432,
    definition: {
      image: "docker.io/pgvector/pgvector:pg17",
      environment: { POSTGRES_USER: "apps", POSTGRES_PASSWORD: PASSWORD, POSTGRES_DB: "apps" },
      healthcheck: { test: ["CMD", "pg_isready", "-U", "apps"], interval: "5s", retries: 10 },
    },
  },
];

const neededBy = ({ flows = [] }: PlannedApp): Dependency[] =>
  DEPENDENCIES.filter(({ port }) => flows.some((flow) => flow.direction === "out" && flow.peer === "homelab" && flow.port === port));

/** Compose replaces `$NAME` by a variable of the shell; `$$` is a literal dollar (Compose file: Interpolation). */
const literal = (value: string): string => value.replaceAll("$", "$$$$");

/** The local servers have no certificates. */
const OVERRIDES: Readonly<Record<string, string>> = { DB_SSLMODE: "disable" };

/** Replaces the host names of the homelab's services by local ones. */
function localValue(value: string, needed: readonly Dependency[], domain: string): string {
  return needed.reduce(
    (text, { service }) => text.replaceAll(new RegExp(`\\b([a-z0-9-]+\\.)?${service}\\.${domain.replaceAll(".", "\\.")}`, "g"), service),
    value,
  );
}

function environmentOf({ spec, references }: PlannedApp, needed: readonly Dependency[], domain: string): Record<string, string> {
  const all = Object.entries({ ...spec.config, ...spec.environment });
  return Object.fromEntries(
    // Values of other stacks do not exist here, and there is no collector for traces: both are left out.
    all.flatMap(([key, value]) => {
      if (isSecretValue(value)) return [[key, PASSWORD] as const];
      return references.has(value) || key.startsWith("OTEL_") ? [] : [[key, OVERRIDES[key] ?? literal(localValue(value, needed, domain))] as const];
    }),
  );
}

function serviceOf(app: PlannedApp, domain: string, plans: Plans, published: number): object {
  const needed = neededBy(app);
  const { ports, writable = [], runAsUser } = app.spec;
  return {
    image: imageOf(app, plans),
    environment: environmentOf(app, needed, domain),
    ports: ports.map(({ port }, index) => `127.0.0.1:${published + index}:${port}`),
    read_only: runAsUser !== undefined,
    ...(runAsUser === undefined ? {} : { user: String(runAsUser) }),
    ...(writable.length === 0 ? {} : { tmpfs: [...writable] }),
    ...(needed.length === 0
      ? {}
      : {
          depends_on: Object.fromEntries(
            needed.map(({ service, definition }) => [service, { condition: "healthcheck" in definition ? "service_healthy" : "service_started" }]),
          ),
        }),
  };
}

/**
 * The stack for which nobody names one: of those that have the named applications, the one with the most applications. Where none has
 * them, the one with the most applications, whose names the refusal then lists.
 * @throws HomelabError E_COMPOSE where no stack has an application
 */
export function stackWith(stacks: readonly Pick<LoadedStack, "name" | "apps">[], wanted: readonly string[]): string {
  const most = (some: typeof stacks): string | undefined =>
    some.filter(({ apps }) => Object.keys(apps).length > 0).toSorted((a, b) => Object.keys(b.apps).length - Object.keys(a.apps).length)[0]?.name;
  const found = most(stacks.filter(({ apps }) => wanted.every((name) => name in apps))) ?? most(stacks);
  if (found !== undefined) return found;
  throw new HomelabError("E_COMPOSE", "no stack of this homelab has an application", {
    hint: "make one: `homelab new app <name> --stack <stack> --image <image>`",
  });
}

const FIRST_PORT = 18_080;
const STEP = 10;

/**
 * @param wanted names of the applications; none named: all of the stack
 * @throws HomelabError E_APP_UNKNOWN
 */
export function composeFile({ stack, apps, site }: StackPlan, plans: Plans, wanted: readonly string[]): object {
  const unknown = wanted.find((name) => !apps.some((app) => app.name === name));
  if (unknown !== undefined)
    throw new HomelabError("E_APP_UNKNOWN", `${stack.name} has no application "${unknown}"`, {
      subject: unknown,
      hint: `it has: ${apps.map(({ name }) => name).join(", ")}`,
    });
  const chosen = apps.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
  const withFiles = chosen.filter(({ spec }) => wanted.includes(spec.name) && Object.keys(spec.files ?? {}).length > 0).map(({ name }) => name);
  if (withFiles.length > 0)
    throw new HomelabError("E_COMPOSE", `${withFiles.join(", ")} reads files from secrets/, which no compose file may hold`, {
      subject: stack.name,
      hint: `run it in the lab or in ${stack.name}`,
    });
  const here = chosen.filter(({ spec }) => Object.keys(spec.files ?? {}).length === 0);
  const needed = new Set(here.flatMap(neededBy));
  return {
    name: `homelab-${stack.name}`,
    services: {
      ...Object.fromEntries(here.map((app) => [app.name, serviceOf(app, site.domain, plans, FIRST_PORT + STEP * apps.indexOf(app))])),
      ...Object.fromEntries(DEPENDENCIES.filter((one) => needed.has(one)).map(({ service, definition }) => [service, definition])),
    },
  };
}

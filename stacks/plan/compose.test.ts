import { loadHomelab, useHomelabSecrets } from "../../tests/support/homelab";
import { composeFile, stackWith } from "./compose";
import { planEstate } from "./plan";

useHomelabSecrets();
const plans = planEstate(loadHomelab());
const dev = plans.get("dev");
if (dev === undefined) throw new Error("there is no stack dev");
const compose = (...apps: string[]) => composeFile(dev, plans, apps) as { services: Record<string, Record<string, unknown>> };

test("an application comes with what it depends on, and with nothing else", () => {
  expect(Object.keys(compose("writer").services)).toEqual(["writer", "redis", "postgres"]);
  expect(Object.keys(compose("ascii-frontend").services)).toEqual(["ascii-frontend"]);
  expect(compose("writer").services["writer"]).toEqual({
    image: "registry.fullstack.pw/library/writer:1.0.0",
    environment: {
      ...{ DB_USER: "apps", DB_NAME: "apps", DB_PORT: "5432", DB_SSLMODE: "disable", DB_HOST: "postgres", DB_PASSWORD: "local-only" },
      ...{ ENV: "dev", LOG_LEVEL: "DEBUG", QUEUE_NAMES: "queue-dev" },
      ...{ REDIS_ADDR: "redis:6379", REDIS_USER: "apps", REDIS_PASSWORD: "local-only" },
    },
    ports: ["127.0.0.1:18100:8080"],
    read_only: true,
    user: "1001",
    depends_on: { redis: { condition: "service_started" }, postgres: { condition: "service_healthy" } },
  });
});

test("nothing listens beyond this machine, and no two on one port", () => {
  const ports = Object.values(compose().services).flatMap(({ ports: own = [] }) => own as string[]);
  expect(ports.every((port) => port.startsWith("127.0.0.1:"))).toBe(true);
  expect(new Set(ports).size).toBe(ports.length);
});

test("what reads files from secrets/ is left out, and refused where it is named; an application that there is not is refused", () => {
  expect(Object.keys(compose().services)).not.toContain("cks-backend");
  expect(() => compose("cks-backend")).toThrow("cks-backend reads files from secrets/, which no compose file may hold");
  expect(() => compose("writr")).toThrow('dev has no application "writr"');
});

test("a dollar in a value stays one, and is no variable of who runs it", () => {
  const apps = dev.apps.map((app) => (app.name === "writer" ? { ...app, spec: { ...app.spec, environment: { FORM: "$HOME $X 5$" } } } : app));
  const { services } = composeFile({ ...dev, apps }, plans, ["writer"]) as ReturnType<typeof compose>;
  expect(services["writer"]?.["environment"]).toMatchObject({ FORM: "$$HOME $$X 5$$" });
});

test("a value in angle brackets that is none of another stack stays", () => {
  const apps = dev.apps.map((app) => (app.name === "writer" ? { ...app, spec: { ...app.spec, environment: { TITLE: "<b>Writer</b>" } } } : app));
  const { services } = composeFile({ ...dev, apps }, plans, ["writer"]) as ReturnType<typeof compose>;
  expect(services["writer"]?.["environment"]).toMatchObject({ TITLE: "<b>Writer</b>" });
});

test("where no stack is named, that with the most applications is taken of those that have the named ones", () => {
  const { stacks } = loadHomelab();
  expect(stackWith(stacks, [])).toBe("dev");
  expect(stackWith(stacks, ["writer", "memorizer"])).toBe("dev");
  expect(stackWith(stacks, ["whoami"])).toBe("sandboxy");
  const other = [
    { name: "web", apps: {} },
    { name: "green", apps: { shop: stacks.flatMap(({ apps }) => Object.values(apps))[0] as never } },
  ];
  expect(stackWith(other, ["writr"])).toBe("green");
  expect(() => stackWith(other.slice(0, 1), [])).toThrow("no stack of this homelab has an application");
});

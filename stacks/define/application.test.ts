import { defineApplication } from "./application";

const shop = defineApplication(
  {
    ports: [
      { name: "http", port: 8080, host: "shop", url: "shop" },
      { name: "metrics", port: 9090 },
    ],
    probes: { ready: "/readyz", live: "/livez" },
    environment: { OTEL: { from: "observability", output: "otlpEndpoint" }, A: "1" },
    config: { LEVEL: "INFO", SIZE: "2" },
    flows: [{ direction: "out", peer: "homelab", port: 1, why: "one" }],
    replicas: 1,
  },
  {
    dev: { hostPrefix: "dev.", config: { LEVEL: "DEBUG" }, environment: { A: "2" }, flows: [{ direction: "out", peer: "homelab", port: 2, why: "two" }] },
    prod: { hostPrefix: "", replicas: 2, ports: { http: { rules: { timeout: "5s" } } }, image: "r.example.org/shop:1" },
  },
);

test("an environment has what is everywhere, with its own laid over it", () => {
  expect(shop.dev).toEqual({
    image: { setting: "images" },
    ports: [
      { name: "http", port: 8080, host: "dev.shop", url: "shop" },
      { name: "metrics", port: 9090 },
    ],
    probes: { ready: "/readyz", live: "/livez" },
    environment: { OTEL: { from: "observability", output: "otlpEndpoint" }, A: "2" },
    config: { LEVEL: "DEBUG", SIZE: "2" },
    flows: [
      { direction: "out", peer: "homelab", port: 1, why: "one" },
      { direction: "out", peer: "homelab", port: 2, why: "two" },
    ],
    replicas: 1,
  });
  expect(shop.prod).toMatchObject({ image: "r.example.org/shop:1", replicas: 2, config: { LEVEL: "INFO", SIZE: "2" }, environment: { A: "1" } });
  expect(shop.prod.ports[0]).toEqual({ name: "http", port: 8080, host: "shop", url: "shop", rules: { timeout: "5s" } });
});

test("a difference about a port that there is not is refused", () => {
  const everywhere = { ports: [{ name: "http", port: 80 }], probes: { ready: "/", live: "port" } } as const;
  expect(() => defineApplication(everywhere, { dev: { hostPrefix: "", ports: { https: { host: "a" } } } })).toThrow(
    'the port "https", but the application has: http',
  );
});

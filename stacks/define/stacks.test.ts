/** What does not compile (npm run typecheck): where one of the marked lines is no error, this file does not compile. */
import { type App, defineApp } from "./app";
import { defineStacks } from "./stacks";

const tools = { description: "", needs: [], vms: { one: "cluster" }, platform: { "cert-manager": {} } } as const;
const jaeger = defineApp({
  image: "r.example.org/a:1",
  ports: [{ name: "http", port: 80, host: "a" }],
  probes: { ready: "/", live: "port" },
  outputs: { otlpEndpoint: { url: "http" } },
});
const reading = <const I extends App["image"]>(image: I) => ({ image, ports: [{ name: "http", port: 80 }], probes: { ready: "/", live: "port" } }) as const;

test("stacks that need one another, with the outputs of the applications there", () => {
  const stacks = defineStacks({
    tools,
    one: { ...tools, needs: ["tools"], apps: { jaeger } },
    two: { ...tools, needs: ["tools", "one"], apps: { other: reading({ from: "one", output: "otlpEndpoint" }) } },
    three: { ...tools, needs: ["two"], apps: { third: reading({ from: "two", image: "other" }) } },
  });
  expect(Object.keys(stacks)).toEqual(["tools", "one", "two", "three"]);
});

test("what is wrong does not compile", () => {
  // @ts-expect-error there is no such module
  defineStacks({ tools: { ...tools, platform: { "cert-manger": {} } } });
  // @ts-expect-error the module has no such option
  defineStacks({ tools: { ...tools, platform: { vault: { sise: "10Gi" } } } });
  // @ts-expect-error the option is a text
  defineStacks({ tools: { ...tools, platform: { vault: { size: 10 } } } });
  // @ts-expect-error no stack has the name
  defineStacks({ tools, one: { ...tools, needs: ["tolls"] } });
  // @ts-expect-error a stack that needs itself
  defineStacks({ tools, one: { ...tools, needs: ["one"] } });
  const one = { ...tools, needs: ["tools"], apps: { jaeger } } as const;
  const notNeeded = { ...tools, needs: ["tools"], apps: { a: reading({ from: "one", output: "otlpEndpoint" }) } } as const;
  // @ts-expect-error the stack is not needed
  defineStacks({ tools, one, notNeeded });
  const noOutput = { ...tools, needs: ["one"], apps: { a: reading({ from: "one", output: "appImage" }) } } as const;
  // @ts-expect-error the stack has no such output
  defineStacks({ tools, one, noOutput });
  const noApp = { ...tools, needs: ["one"], apps: { a: reading({ from: "one", image: "jager" }) } } as const;
  // @ts-expect-error the stack has no such application
  defineStacks({ tools, one, noApp });
  // @ts-expect-error there is no such duty
  defineStacks({ tools: { ...tools, vms: { one: "proxy" } } });
  // @ts-expect-error there is no such key
  defineStacks({ tools: { ...tools, vm: {} } });
  // @ts-expect-error an application has no such key
  defineApp({ image: "r.example.org/a:1", ports: [{ name: "http", port: 80 }], probes: { ready: "/", live: "port" }, replica: 2 });
  // @ts-expect-error an application has probes
  defineApp({ image: "r.example.org/a:1", ports: [{ name: "http", port: 80 }] });
  expect(Object.keys(jaeger)).toEqual(["image", "ports", "probes", "outputs"]);
});

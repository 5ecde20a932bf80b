import { withItem } from "./site-text";

const entry = (...lines: string[]): string => `  dev: {\n${["needs: [],", ...lines].map((line) => `    ${line}\n`).join("")}  },\n`;

test.each<[string, string[], string[]]>([
  ["on one line", ["platform: { ...cluster, vault: {} },"], ["platform: { ...cluster, vault: {}, nats: {} },"]],
  ["empty", ["platform: {},"], ["platform: { nats: {} },"]],
  ["shared", ["platform: cluster,"], ["platform: { ...cluster, nats: {} },"]],
  [
    "one item a line, with maps over several lines among them, and keys behind it",
    ["platform: {", "  ...cluster,", "  minio: {", "    buckets: [],", "  },", "},", "apps: { web },"],
    ["platform: {", "  ...cluster,", "  minio: {", "    buckets: [],", "  },", "  nats: {},", "},", "apps: { web },"],
  ],
])("a map that is %s gets one item more", (_, before, after) => {
  expect(withItem(entry(...before), "platform", "nats: {}")).toBe(entry(...after));
});

test.each([[["platform: { vault: {},", "},"]], [["platform: make(),"]], [["vms: { a: {} },"]]])("%j has another form and is not changed", (lines) => {
  expect(withItem(entry(...lines), "platform", "nats: {}")).toBeUndefined();
});

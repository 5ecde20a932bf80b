/** `homelab new app`: an application of the matrix, with its test. */
import { HomelabError } from "../common/errors";
import { isLatest, parseReference } from "../common/image-reference";
import { appTest } from "./part-tests";
import { entriesOf, entryOf, MATRIX, notFormatted, read, withEntry, withItem } from "./site-text";
import { writeChanges } from "./write";

export interface AppAnswers {
  name: string;
  /** With registry and tag or digest. */
  image: string;
  /** That the container listens on. */
  port: number;
  /** Host name without the domain; undefined: it is reached inside the cluster only. */
  host: string | undefined;
  /** Stack of the matrix that gets it. */
  stack: string;
}

const NAME = /^[a-z]([a-z0-9-]{0,40}[a-z0-9])?$/;
const LABELS = /^[a-z0-9-]+(\.[a-z0-9-]+)*$/;

const refuse = (message: string, subject: string, hint: string): HomelabError => new HomelabError("E_USAGE", message, { subject, hint });

const camel = (name: string): string => name.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

const appText = ({ name, image, port, host }: AppAnswers): string => `import { defineApp } from "../../stacks/define/app";

/** ${name}. \`flows\` declares which other connections it accepts, besides those to its host name, and which it opens. */
export const ${camel(name)} = defineApp({
  image: "${image}",
  ports: [{ name: "http", port: ${port}${host === undefined ? "" : `, host: "${host}", url: "${name}"`} }],
  // \`ready\`: a path that answers once it can serve. \`live\`: a path that does not depend on other services, or an open port.
  probes: { ready: "/", live: "port" },
  resources: { cpu: "100m", memory: "128Mi", memoryLimit: "256Mi" },
});
`;

/** The matrix with the application in the stack's entry, and its import. */
function inMatrix(matrix: string, { name, stack }: AppAnswers): string {
  const own = camel(name);
  const key = own === name ? own : `"${name}": ${own}`;
  const entry = entryOf(entriesOf(matrix), stack);
  if (new RegExp(`^ {4}apps: .*["{ ]${name}["\\\\s:,}]`, "m").test(entry.text))
    throw new HomelabError("E_EXISTS", `the stack "${stack}" has an application "${name}" already`, { subject: name, hint: "take another name" });
  const changed = /^ {4}apps: /m.test(entry.text) ? withItem(entry.text, "apps", key) : entry.text.replace(/^ {2}\},\n$/m, `    apps: { ${key} },\n  },\n`);
  if (changed === undefined) throw notFormatted("applications", stack, `add ${key} to its apps by hand,`);
  const text = withEntry(matrix, entry, changed);
  const line = `import { ${own} } from "./apps/${name}";\n`;
  const imports = text.match(/^import .*;\n/gm) ?? [];
  const last = imports.at(-1) ?? "";
  return text.replace(last, `${last}${line}`);
}

/**
 * @param root of the checkout
 * @returns files that were written, from there
 * @throws HomelabError E_USAGE, E_SITE, E_EXISTS
 */
export function newApp(root: string, answers: AppAnswers): string[] {
  const { name, image, host, port } = answers;
  if (!NAME.test(name)) throw refuse(`"${name}" is no name for an application`, name, "lower-case letters, digits and dashes, such as my-app");
  const reference = parseReference(image);
  if (reference === undefined || isLatest(reference))
    throw refuse(`"${image}" is no exact image`, image, "with its registry and a tag or digest, such as docker.io/traefik/whoami:v1.10.3");
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw refuse(`${port} is no port`, String(port), "1 to 65535");
  if (host !== undefined && !LABELS.test(host)) throw refuse(`"${host}" is no host name`, host, "without the domain, such as dev.my-app");
  return writeChanges(
    root,
    new Map([
      [`site/apps/${name}.ts`, appText(answers)],
      [`site/apps/${name}.test.ts`, appTest(answers)],
    ]),
    new Map([[MATRIX, inMatrix(read(root, MATRIX), answers)]]),
  );
}

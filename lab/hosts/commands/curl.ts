import * as http from "node:http";
import * as https from "node:https";
import { latin1FromBytes } from "just-bash";
import { absolute, type HostCommand, type Invocation, ok, parseFlags, unmodelled } from "../command";
import type { Machine } from "../machine";

export interface Fetched {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: Buffer;
}

export class FetchError extends Error {
  /** @param code curl's exit code */
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

/** One exchange over the lab's network. @throws FetchError as curl would name it */
export async function fetchFromLab(machine: Machine, url: URL, method: string, headers: Record<string, string>, body: Buffer | undefined): Promise<Fetched> {
  const { ctx, spec } = machine;
  const port = Number(url.port || (url.protocol === "https:" ? 443 : 80));
  const local = ctx.network.resolve(url.hostname, port);
  if (!local) {
    if (!/^192\.168\.1\.|(^|\.)fullstack\.pw$|^127\./.test(url.hostname)) ctx.unhandled.add({ system: "ssh", target: spec.hostname, what: `curl: ${url.origin} does not exist in the lab` });
    throw new FetchError(7, `Failed to connect to ${url.hostname} port ${port} after 0 ms: Couldn't connect to server`);
  }
  await ctx.clock.sleep(ctx.latency.of("artefacts.download"));
  const shared = { host: "127.0.0.1", port: local.port, method, path: `${url.pathname}${url.search}`, headers: { host: url.host, "user-agent": "curl/8.5.0", accept: "*/*", ...headers }, agent: false };
  return new Promise((resolve, reject) => {
    const request = url.protocol === "https:" ? https.request({ ...shared, servername: url.hostname, ca: ctx.tls.caPem }) : http.request(shared);
    request.on("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }));
    });
    request.on("error", (error) => reject(new FetchError(/certificate/.test(error.message) ? 60 : 35, error.message)));
    request.end(body);
  });
}

const VALUES = ["o", "output", "w", "write-out", "retry", "retry-delay", "retry-max-time", "connect-timeout", "m", "max-time", "H", "header", "X", "request", "d", "data", "data-binary", "A", "proto", "proto-redir", "u", "user"];
const BARE = ["f", "fail", "s", "silent", "S", "show-error", "L", "location", "O", "remote-name", "I", "head", "k", "insecure", "retry-all-errors", "retry-connrefused", "fail-with-body", "compressed", "tlsv1.2", "tlsv1.3", "create-dirs", "4", "g"];

const curl: HostCommand = async (run) => {
  const { flags, rest, unknown } = parseFlags(run.args, VALUES, BARE);
  if (unknown) return unmodelled(run, "curl", unknown);
  const has = (...names: string[]) => names.some((n) => flags.has(n));
  const get = (...names: string[]) => names.flatMap((n) => flags.get(n) ?? []).at(-1);
  const url = rest[0];
  if (url === undefined || rest.length > 1) return unmodelled(run, "curl", `${rest.length} URLs`);
  const quiet = has("s", "silent") && !has("S", "show-error");
  const problem = (code: number, text: string) => ({ stdout: "", stderr: quiet ? "" : `curl: (${code}) ${text}\n`, exitCode: code });
  let answer: Fetched;
  try {
    answer = await follow(run, new URL(/^[a-z]+:\/\//.test(url) ? url : `http://${url}`), has("L", "location"), has("I", "head"), get("X", "request"), headersOf(flags), bodyOf(run, get("d", "data", "data-binary")));
  } catch (error) {
    if (error instanceof FetchError) return problem(error.code, error.message);
    throw error;
  }
  if (has("f", "fail", "fail-with-body") && answer.status >= 400) return problem(22, `The requested URL returned error: ${answer.status}`);
  const target = get("o", "output") ?? (has("O", "remote-name") ? new URL(url).pathname.split("/").at(-1) : undefined);
  const written = (get("w", "write-out") ?? "").replaceAll("%{http_code}", String(answer.status)).replaceAll("%{response_code}", String(answer.status)).replaceAll("\\n", "\n");
  if (target === undefined || target === "-") return { stdout: answer.body.toString("latin1") + written, stderr: "", exitCode: 0, stdoutKind: "bytes" } as const;
  if (target !== "/dev/null") await keep(run, target, answer);
  return ok(written);
};

async function keep(run: Invocation, target: string, answer: Fetched): Promise<void> {
  const name = absolute(run, target);
  await run.shell.fs.writeFile(name, new Uint8Array(answer.body));
  const published = answer.headers["x-lab-published-sha256"];
  if (typeof published === "string") await run.machine.disk.publish(name, published);
}

const headersOf = (flags: Map<string, string[]>): Record<string, string> =>
  Object.fromEntries(
    [...(flags.get("H") ?? []), ...(flags.get("header") ?? [])].map((line) => {
      const at = line.indexOf(":");
      return [line.slice(0, at).trim().toLowerCase(), line.slice(at + 1).trim()];
    }),
  );

function bodyOf(run: Invocation, data: string | undefined): Buffer | undefined {
  if (data === undefined) return undefined;
  return data === "@-" ? Buffer.from(latin1FromBytes(run.shell.stdin), "latin1") : Buffer.from(data);
}

async function follow(run: Invocation, url: URL, redirects: boolean, head: boolean, method: string | undefined, headers: Record<string, string>, body: Buffer | undefined): Promise<Fetched> {
  let at = url;
  for (let hops = 0; hops < 50; hops++) {
    const answer = await fetchFromLab(run.machine, at, method ?? (head ? "HEAD" : body ? "POST" : "GET"), headers, body);
    const location = answer.headers.location;
    if (!redirects || answer.status < 300 || answer.status >= 400 || location === undefined) return answer;
    at = new URL(location, at);
  }
  throw new FetchError(47, "Maximum (50) redirects followed");
}

export const CURL_COMMANDS: Record<string, HostCommand> = { curl };

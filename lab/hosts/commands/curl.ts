import { latin1FromBytes } from "just-bash";
import { FetchError, type Fetched, fetchFromLab, followFromLab } from "../../core/fetch";
import { absolute, type HostCommand, type Invocation, ok, parseFlags, unmodelled } from "../command";

/** `-A`, `-u` and `-I` would change the request or the output: the lab does not model them. */
const VALUES = [
  "o",
  "output",
  "w",
  "write-out",
  "retry",
  "retry-delay",
  "retry-max-time",
  "connect-timeout",
  "m",
  "max-time",
  "H",
  "header",
  "X",
  "request",
  "d",
  "data",
  "data-binary",
  "proto",
  "proto-redir",
];
const BARE = [
  "f",
  "fail",
  "s",
  "silent",
  "S",
  "show-error",
  "L",
  "location",
  "O",
  "remote-name",
  "k",
  "insecure",
  "retry-all-errors",
  "retry-connrefused",
  "fail-with-body",
  "compressed",
  "tlsv1.2",
  "tlsv1.3",
  "create-dirs",
  "4",
  "g",
];

const curl: HostCommand = async (run) => {
  const { flags, rest, unknown } = parseFlags(run.args, VALUES, BARE);
  if (unknown) return unmodelled(run, "curl", unknown);
  const has = (...names: string[]) => names.some((n) => flags.has(n));
  const get = (...names: string[]) => names.flatMap((n) => flags.get(n) ?? []).at(-1);
  const url = rest[0];
  if (url === undefined || rest.length > 1) return unmodelled(run, "curl", `${rest.length} URLs`);
  const strange = unmodelledUse(flags);
  if (strange !== undefined) return unmodelled(run, "curl", strange);
  const quiet = has("s", "silent") && !has("S", "show-error");
  const problem = (code: number, text: string) => ({ stdout: "", stderr: quiet ? "" : `curl: (${code}) ${text}\n`, exitCode: code });
  const target = located(run, url);
  if (has("proto") && target.protocol !== "https:") return problem(1, `Protocol "${target.protocol.slice(0, -1)}" disabled`);
  const loopback = onLoopback(run, target);
  if (loopback !== undefined) return loopback ? ok() : problem(7, `Failed to connect to ${url}: Couldn't connect to server`);
  let answer: Fetched;
  try {
    const body = bodyOf(run, get("d", "data", "data-binary"));
    const method = get("X", "request") ?? (body ? "POST" : "GET");
    const fetch = has("L", "location") ? followFromLab : fetchFromLab;
    answer = await fetch(run.machine.ctx, run.machine.spec.hostname, target, {
      method,
      headers: headersOf(flags),
      body,
    });
  } catch (error) {
    if (error instanceof FetchError) return problem(error.code, error.message);
    throw error;
  }
  if (has("f", "fail", "fail-with-body") && answer.status >= 400) return problem(22, `The requested URL returned error: ${answer.status}`);
  const output = get("o", "output") ?? (has("O", "remote-name") ? new URL(url).pathname.split("/").at(-1) : undefined);
  const written = (get("w", "write-out") ?? "")
    .replaceAll("%{http_code}", String(answer.status))
    .replaceAll("%{response_code}", String(answer.status))
    .replaceAll("\\n", "\n");
  if (output === undefined || output === "-")
    return { stdout: answer.body.toString("latin1") + written, stderr: "", exitCode: 0, stdoutKind: "bytes" } as const;
  if (output !== "/dev/null") await keep(run, output, answer);
  return ok(written);
};

/** A value that would do something which the lab does not do. */
function unmodelledUse(flags: Map<string, string[]>): string | undefined {
  const all = (...names: string[]): string[] => names.flatMap((name) => flags.get(name) ?? []);
  const variable = all("w", "write-out").flatMap((text) => [...text.matchAll(/%\{([^}]*)\}/g)].map(([whole]) => whole));
  const unknown = variable.find((name) => name !== "%{http_code}" && name !== "%{response_code}");
  if (unknown !== undefined) return `-w ${unknown}`;
  const file = all("d", "data", "data-binary").find((text) => text.startsWith("@") && text !== "@-");
  if (file !== undefined) return `-d ${file}`;
  const protocols = all("proto", "proto-redir").find((text) => text !== "=https");
  return protocols === undefined ? undefined : `--proto ${protocols}`;
}

/** Whether a daemon of the host answers at this loopback address. @returns undefined for another address, or where a server of the lab listens */
function onLoopback(run: Invocation, url: URL): boolean | undefined {
  if (url.hostname !== "127.0.0.1") return undefined;
  // Only servers of containers have it, and those are asked at the host's own address: nothing listens.
  if ((url.port || "80") === "80") return false;
  const daemons: Record<string, string> = { "3000/readyz": "teleport.service", "8404/": "haproxy.service" };
  const unit = daemons[`${url.port || "80"}${url.pathname}`];
  if (unit === undefined) unmodelled(run, "curl", url.href);
  return unit !== undefined && run.machine.units.get(unit)?.state === "active";
}

/** The host's own address in the place of loopback, where a server of the lab listens at it. */
function located(run: Invocation, text: string): URL {
  const url = new URL(/^[a-z]+:\/\//.test(text) ? text : `http://${text}`);
  const { network } = run.machine.ctx;
  const port = Number(url.port || (url.protocol === "https:" ? 443 : 80));
  const isContainers = port === 80 && run.machine.containers.size > 0;
  if (url.hostname === "127.0.0.1" && isContainers && network.resolve(run.machine.spec.address, port) !== undefined) url.hostname = run.machine.spec.address;
  return url;
}

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

export const CURL_COMMANDS: Record<string, HostCommand> = { curl };

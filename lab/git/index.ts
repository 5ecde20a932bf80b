/**
 * Git repositories of the homelab's, as a server on the internet has them: bare ones in the lab's folder, by smart HTTP. The protocol is
 * Git's own program `git http-backend` (https://git-scm.com/docs/git-http-backend), as a CGI. Everybody may read; who pushes logs in with
 * the lab's credentials.
 */
import { execFile } from "node:child_process";
import { timingSafeEqual } from "node:crypto";
import * as fs from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import * as path from "node:path";
import { promisify } from "node:util";
import { spawn } from "../../common/children";
import { childEnv } from "../../common/env";
import { HomelabError } from "../../common/errors";
import { requestUrl } from "../core/request-url";
import type { LabContext } from "../core/world";

const run = promisify(execFile);
const BRANCH = "main";
/** A push or a fetch that takes longer is ended. */
const LIMIT_MS = 120_000;

export interface GitCredential {
  readonly username: string;
  readonly password: string;
}

/** Nothing of the owner's configuration, and no question at a terminal. */
const gitEnv = (more: Readonly<Record<string, string>> = {}): Record<string, string> => ({
  ...childEnv({ GIT_DIR: undefined, GIT_WORK_TREE: undefined, GIT_INDEX_FILE: undefined }),
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_SYSTEM: "/dev/null",
  GIT_TERMINAL_PROMPT: "0",
  ...more,
});

/** `host/path` of a repository, without `.git` at its end: both names are the same one. */
function keyOf(url: string): string {
  const { host, pathname } = new URL(url);
  return `${host}${pathname.replace(/\/$/, "").replace(/\.git$/, "")}`;
}

const isSame = (given: string, wanted: string): boolean => {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)];
  return a.length === b.length && timingSafeEqual(a, b);
};

/** Bare repositories, each in `<dir>/<host>/<path>.git`. */
export class GitHost {
  readonly #repositories = new Set<string>();
  readonly #expected: string;

  constructor(
    private readonly ctx: LabContext,
    private readonly dir: string,
    private readonly credential: GitCredential,
  ) {
    this.#expected = `Basic ${Buffer.from(`${credential.username}:${credential.password}`).toString("base64")}`;
  }

  /** Hosts of the repositories, for certificates and names. */
  get hosts(): string[] {
    return [...new Set([...this.#repositories].map((key) => key.split("/")[0] ?? ""))];
  }

  /** Repositories by URL, in addition to those that there are; a new one is empty, with the branch `main`. @throws HomelabError E_LAB_GIT */
  async add(urls: readonly string[]): Promise<void> {
    for (const key of urls.map(keyOf)) {
      await this.#make(key);
      this.#repositories.add(key);
    }
  }

  async #make(key: string): Promise<void> {
    const folder = path.join(this.dir, `${key}.git`);
    if (!path.resolve(folder).startsWith(`${path.resolve(this.dir)}${path.sep}`))
      throw new HomelabError("E_LAB_GIT", `${key} is no name of a repository`, { subject: key, hint: "name it as https://<host>/<path>" });
    if (fs.existsSync(path.join(folder, "HEAD"))) return;
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
    try {
      await run("git", ["init", "--quiet", "--bare", `--initial-branch=${BRANCH}`, folder], { env: gitEnv() });
    } catch (cause) {
      throw new HomelabError("E_LAB_GIT", `the lab cannot make the Git repository ${key}`, {
        cause,
        subject: key,
        hint: "see whether git works on this machine",
      });
    }
  }

  /** Answers a request for one of the repositories. @returns false if it is for none of them */
  handle(request: IncomingMessage, response: ServerResponse, host: string): boolean {
    const url = requestUrl(request);
    const found = /^(\/.+?)(?:\.git)?(\/(?:info\/refs|git-upload-pack|git-receive-pack|HEAD|objects\/.*))$/.exec(url.pathname);
    const key = `${host}${found?.[1] ?? ""}`;
    if (found === null || !this.#repositories.has(key)) return false;
    this.#answer(request, response, { key, file: found[2] ?? "", query: url.searchParams });
    return true;
  }

  #answer(request: IncomingMessage, response: ServerResponse, asked: Asked): void {
    const { key, file, query } = asked;
    const service = file === "/info/refs" ? query.get("service") : file.slice(1);
    const pushes = service === "git-receive-pack";
    if (!pushes && service !== "git-upload-pack") {
      // The protocol from before Git 1.6.6 reads the files themselves.
      this.ctx.unhandled.add({ system: "git", target: key, what: `${request.method} ${file}` });
      refuse(response, 404, "not found");
      return;
    }
    const { authorization } = request.headers;
    if ((pushes || authorization !== undefined) && !isSame(authorization ?? "", this.#expected)) {
      refuse(response, 401, "authentication required", { "www-authenticate": 'Basic realm="lab"' });
      return;
    }
    this.#run(request, response, asked, pushes);
  }

  #run(request: IncomingMessage, response: ServerResponse, asked: Asked, pushes: boolean): void {
    const { ctx, dir, credential } = this;
    const { key, file } = asked;
    const env = { ...cgiOf(request, asked, dir), ...(pushes ? { REMOTE_USER: credential.username } : {}) };
    const child = spawn("git", ["http-backend"], { stdio: ["pipe", "pipe", "pipe"], timeout: LIMIT_MS, env: gitEnv(env) });
    const failed = (what: string): void => {
      ctx.unhandled.add({ system: "git", target: key, what: `bug: ${file}: ${what}` });
      if (response.headersSent) response.destroy();
      else refuse(response, 500, "the lab's git does not work");
    };
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said = `${said}${text}`.slice(-2000);
    });
    child.on("error", (error) => failed(error.message));
    // A client that closes the connection is not an error of the server.
    child.stdin.on("error", () => undefined);
    request.pipe(child.stdin);
    response.on("close", () => child.kill());
    passOn(child.stdout, response);
    child.on("close", (code) => {
      if (code !== 0 && !response.destroyed && !response.writableEnded) failed(said || `exit code ${code}`);
      else if (request.method === "POST") ctx.records.add({ system: "git", target: key, kind: pushes ? "write" : "read", action: pushes ? "push" : "fetch" });
      ctx.changed();
    });
  }
}

interface Asked {
  /** Of the repository. */
  readonly key: string;
  /** Of the protocol, from the repository on. */
  readonly file: string;
  readonly query: URLSearchParams;
}

function refuse(response: ServerResponse, status: number, text: string, headers: Record<string, string> = {}): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8", ...headers });
  response.end(`${text}\n`);
}

/** A request as a CGI has it (RFC 3875). */
function cgiOf({ method = "GET", headers }: IncomingMessage, { key, file, query }: Asked, dir: string): Record<string, string> {
  const given = (name: string, value: string | string[] | undefined): Record<string, string> => (typeof value === "string" ? { [name]: value } : {});
  return {
    ...{ GIT_PROJECT_ROOT: dir, GIT_HTTP_EXPORT_ALL: "1", PATH_INFO: `/${key}.git${file}`, QUERY_STRING: query.toString() },
    ...{ REQUEST_METHOD: method, REMOTE_ADDR: "127.0.0.1", CONTENT_TYPE: headers["content-type"] ?? "" },
    ...given("CONTENT_LENGTH", headers["content-length"]),
    ...given("HTTP_CONTENT_ENCODING", headers["content-encoding"]),
    ...given("GIT_PROTOCOL", headers["git-protocol"]),
  };
}

/** What a CGI prints: header lines, `Status` among them, an empty line, and the body. */
function passOn(output: NodeJS.ReadableStream, response: ServerResponse): void {
  let head = Buffer.alloc(0);
  let begun = false;
  output.on("data", (chunk: Buffer) => {
    if (begun) {
      response.write(chunk);
      return;
    }
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf("\r\n\r\n");
    if (end < 0) return;
    begun = true;
    const lines = head.subarray(0, end).toString("latin1").split("\r\n");
    const headers = lines.map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 1).trim()] as const);
    const status = headers.find(([name]) => name === "status")?.[1] ?? "200";
    response.writeHead(Number(status.split(" ")[0]), Object.fromEntries(headers.filter(([name]) => name !== "status")));
    response.write(head.subarray(end + 4));
  });
  output.on("end", () => {
    if (begun) response.end();
  });
}

/** What Argo CD's repo-server does: it fetches a repository over the lab's network, by Git's protocol (isomorphic-git), and reads a folder of it. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { HttpClient } from "isomorphic-git";
import { FetchError, fetchFromLab } from "../core/fetch";
import type { LabContext } from "../core/world";

export interface RepositoryCredential {
  readonly username: string;
  readonly password: string;
}

/** An address as Argo CD compares it with another one. */
export const withoutGit = (url: string): string => url.replace(/\.git$/, "").replace(/\/$/, "");

/** A repository cannot be read as it was asked for; the message is the Application's condition. */
export class RepositoryError extends Error {}

/** How it reaches a repository. */
interface Remote {
  http: HttpClient;
  url: string;
  headers?: Record<string, string>;
}

/** Loading it takes a third of a second, and a cluster without Applications needs none of it. */
const git = (): typeof import("isomorphic-git") => require("isomorphic-git");

const SHA = /^[0-9a-f]{40}$/;

export class Repositories {
  #folder: string | undefined;
  /** The latest request by repository: requests to one repository run one after another. */
  readonly #running = new Map<string, Promise<unknown>>();

  constructor(
    private readonly ctx: LabContext,
    private readonly from: string,
  ) {}

  stop(): void {
    if (this.#folder !== undefined) fs.rmSync(this.#folder, { recursive: true, force: true });
    this.#folder = undefined;
  }

  #gitdir(url: string): string {
    this.#folder ??= fs.mkdtempSync(path.join(os.tmpdir(), "homelab-lab-argo-cd-"));
    return path.join(this.#folder, encodeURIComponent(url));
  }

  get #http(): HttpClient {
    return {
      request: async ({ url, method = "GET", headers = {}, body }) => {
        const chunks: Uint8Array[] = [];
        if (body !== undefined) for await (const chunk of body) chunks.push(chunk);
        const answer = await fetchFromLab(this.ctx, this.from, new URL(url), {
          method,
          headers: { ...headers, "user-agent": "argocd-repo-server" },
          ...(chunks.length === 0 ? {} : { body: Buffer.concat(chunks) }),
        });
        const responseHeaders = Object.fromEntries(Object.entries(answer.headers).map(([name, value]) => [name, String(value)]));
        return { url, method, headers: responseHeaders, body: whole(answer.body), statusCode: answer.status, statusMessage: "" };
      },
    };
  }

  async #asking<T>(url: string, ask: () => Promise<T>): Promise<T> {
    const before = this.#running.get(url) ?? Promise.resolve();
    const mine = before.then(ask, ask);
    this.#running.set(url, mine);
    try {
      return await mine;
    } catch (thrown) {
      throw new RepositoryError(`failed to fetch ${url}: ${thrown instanceof FetchError ? thrown.message : reasonOf(thrown)}`);
    } finally {
      if (this.#running.get(url) === mine) this.#running.delete(url);
    }
  }

  /**
   * Fetches the commit that a branch, a tag or `HEAD` points to now.
   * @param revision a commit is itself, where it was fetched before
   * @throws RepositoryError
   */
  async resolve(url: string, revision: string, credential?: RepositoryCredential): Promise<string> {
    const gitdir = this.#gitdir(url);
    if (SHA.test(revision)) {
      const known = await git()
        .readCommit({ fs, gitdir, oid: revision })
        .then(() => true)
        .catch(() => false);
      if (known) return revision;
      throw new RepositoryError(`the lab fetches what a branch or a tag stands at, and was never given the commit ${revision} of ${url}`);
    }
    // A known login is sent with every request, as Argo CD's client does, even if the server does not ask for it.
    const login = credential === undefined ? {} : { headers: { authorization: basic(credential) } };
    return this.#asking(url, async () => {
      const shared = { http: this.#http, url, ...login };
      const refs = await git().listServerRefs({ ...shared, protocolVersion: 1 });
      const wanted = revision === "HEAD" ? ["HEAD"] : [`refs/heads/${revision}`, `refs/tags/${revision}`];
      const found = refs.find(({ ref }) => wanted.includes(ref));
      if (found === undefined) throw new Error(`unable to resolve '${revision}' to a commit SHA`);
      const { fetchHead } = await this.#fetched(gitdir, found.ref, shared);
      return fetchHead ?? found.oid;
    });
  }

  async #fetched(gitdir: string, ref: string, shared: Remote) {
    if (!fs.existsSync(gitdir)) {
      await git().init({ fs, gitdir, bare: true, defaultBranch: "main" });
      await git().addRemote({ fs, gitdir, remote: "origin", url: shared.url });
    }
    return git().fetch({ fs, gitdir, ...shared, remote: "origin", ref, singleBranch: true, depth: 1, tags: false });
  }

  /**
   * The files of a folder, as texts by their path from it.
   * @param commit that was resolved before
   * @throws RepositoryError
   */
  async files(url: string, commit: string, folder: string): Promise<Map<string, string>> {
    const gitdir = this.#gitdir(url);
    const files = new Map<string, string>();
    const { readBlob, readTree } = git();
    const clean = path.posix.normalize(folder).replace(/^\.?\/?|\/$/g, "");
    const walk = async (oid: string, at: string): Promise<void> => {
      for (const { type, path: name, oid: child } of (await readTree({ fs, gitdir, oid })).tree) {
        if (type === "tree") await walk(child, `${at}${name}/`);
        if (type === "blob") files.set(`${at}${name}`, Buffer.from((await readBlob({ fs, gitdir, oid: child })).blob).toString("utf8"));
      }
    };
    // Fetches run one at a time: an incomplete pack cannot be read.
    await this.#asking(url, async () => {
      const { oid } = await readTree({ fs, gitdir, oid: commit, ...(clean === "" ? {} : { filepath: clean }) }).catch((thrown: unknown) => {
        if ((thrown as { code?: unknown }).code === "NotFoundError") throw new Error(`${folder}: app path does not exist`);
        throw thrown;
      });
      await walk(oid, "");
    });
    return files;
  }
}

async function* whole(body: Buffer): AsyncGenerator<Uint8Array> {
  yield body;
}

const basic = ({ username, password }: RepositoryCredential): string => `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;

function reasonOf(thrown: unknown): string {
  const { data, message } = thrown as { data?: { statusCode?: number }; message?: string };
  if (data?.statusCode === 401) return "authentication required";
  if (data?.statusCode === 404) return "repository not found";
  return message ?? String(thrown);
}

/** The DIY backend's layout (engine-contract G1), shared with the CLI file by file. */
import * as os from "node:os";
import * as path from "node:path";
import { fileURLToPath } from "node:url";
import { readEnv } from "../../common/env";
import { CliError, unsupported } from "../cli/cli-error";
import { currentLogin } from "../workspace/pulumi-home";
import { parseCheckpoint, type RawDeployment, renderCheckpoint } from "./checkpoint";
import { FileBucket } from "./file-bucket";
import { isLocked } from "./locks";
import { foldJournal, journalKey } from "./state-journal";

const META = ".pulumi/meta.yaml";

export interface StackSummary {
  project: string;
  stack: string;
  lastUpdate: string | undefined;
  resourceCount: number | undefined;
  updateInProgress: boolean;
}

/** The backend's URL: environment, project, login. */
export function backendUrl(projectUrl: string | undefined): string {
  const url = readEnv("PULUMI_BACKEND_URL") ?? projectUrl ?? currentLogin();
  if (url === undefined) throw new CliError("no backend is set: PULUMI_BACKEND_URL must be set, or `pulumi login file://<folder>` run");
  return url;
}

function rootOf(url: string, base: string): string {
  if (!url.startsWith("file://")) throw unsupported(`the backend ${url.split("://")[0]}://`);
  const plain = url.split("?")[0] ?? url;
  const rest = plain.slice("file://".length);
  if (rest === "~" || rest.startsWith("~/")) return path.join(os.homedir(), rest.slice(1));
  return rest.startsWith("/") ? fileURLToPath(plain) : path.resolve(base, rest);
}

export class Backend {
  readonly bucket: FileBucket;

  /** @param base folder that a relative URL starts from */
  constructor(
    readonly url: string,
    base: string,
  ) {
    this.bucket = new FileBucket(rootOf(url, base));
    const meta = this.bucket.read(META);
    if (meta === undefined) {
      if (this.bucket.list(".pulumi/stacks").some((name) => name.endsWith(".json"))) throw unsupported("the legacy layout of a backend without meta.yaml");
    } else if (!/^version: 1\s*$/m.test(meta)) throw unsupported(`a backend of layout ${meta.trim()}`);
  }

  stackKey(project: string, stack: string): string {
    return `.pulumi/stacks/${project}/${stack}.json`;
  }

  exists(project: string, stack: string): boolean {
    return this.bucket.read(this.stackKey(project, stack)) !== undefined;
  }

  create(project: string, stack: string): void {
    if (this.exists(project, stack)) throw new CliError(`stack 'organization/${project}/${stack}' already exists`);
    if (this.bucket.read(META) === undefined) this.bucket.write(META, "version: 1\n");
    this.bucket.write(this.stackKey(project, stack), renderCheckpoint(project, stack, undefined));
  }

  /** The latest deployment, with what a killed run left in its journal. */
  load(project: string, stack: string): RawDeployment | undefined {
    const key = this.stackKey(project, stack);
    const text = this.bucket.read(key);
    if (text === undefined) throw new CliError(`no stack named '${stack}' found`, 6);
    const latest = parseCheckpoint(text, this.bucket.url(key));
    const journal = this.bucket.read(journalKey(project, stack));
    return journal === undefined ? latest : foldJournal(latest, journal, text);
  }

  /** Replaces the stack file; what it was is its .bak. */
  save(project: string, stack: string, latest: RawDeployment): void {
    const key = this.stackKey(project, stack);
    this.bucket.copy(key, `${key}.bak`);
    this.bucket.write(key, renderCheckpoint(project, stack, latest));
    this.bucket.remove(journalKey(project, stack));
  }

  list(project: string | undefined): StackSummary[] {
    const found: StackSummary[] = [];
    for (const name of this.bucket.list(".pulumi/stacks")) {
      if (project !== undefined && name !== project) continue;
      for (const file of this.bucket.list(`.pulumi/stacks/${name}`)) {
        if (!file.endsWith(".json")) continue;
        const stack = file.slice(0, -".json".length);
        const latest = this.load(name, stack);
        found.push({
          project: name,
          stack,
          lastUpdate: latest?.manifest.time,
          resourceCount: latest?.resources?.length ?? (latest === undefined ? undefined : 0),
          updateInProgress: isLocked(this.bucket, name, stack),
        });
      }
    }
    return found;
  }

  /** Moves the stack's file to its .bak and drops its history; backups stay. */
  remove(project: string, stack: string): void {
    const key = this.stackKey(project, stack);
    this.bucket.copy(key, `${key}.bak`);
    this.bucket.remove(key);
    this.bucket.remove(`.pulumi/stacks/${project}/${stack}.pulumi-tags`);
    for (const name of this.bucket.list(`.pulumi/history/${project}/${stack}`)) this.bucket.remove(`.pulumi/history/${project}/${stack}/${name}`);
  }
}

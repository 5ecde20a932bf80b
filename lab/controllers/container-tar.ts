/** `tar` in a container, as `kubectl cp` calls it: just-bash's own writes names with letters beyond ASCII wrongly, and keeps the first `/`. */
import { bytesOutput, type Command, defineCommand, type ExecResult, type ResolvedCommandContext, unsafeBytesFromLatin1 } from "just-bash";
import { type TarEntry, tarOf } from "../core/tar";

type Files = ResolvedCommandContext["fs"];

/** A file, or a folder with all that is in it. */
async function entriesOf(fs: Files, file: string, name: string): Promise<TarEntry[]> {
  const { isDirectory, mode } = await fs.stat(file);
  const permissions = mode & 0o7777;
  if (!isDirectory) return [{ name, mode: permissions, content: Buffer.from(await fs.readFileBuffer(file)) }];
  const inside = (await fs.readdir(file)).sort();
  const below = await Promise.all(inside.map((child) => entriesOf(fs, fs.resolvePath(file, child), `${name}/${child}`)));
  return [{ name: `${name}/`, mode: permissions, content: Buffer.alloc(0) }, ...below.flat()];
}

async function create(names: readonly string[], { fs, cwd }: ResolvedCommandContext): Promise<ExecResult> {
  const entries: TarEntry[] = [];
  let stderr = names.some((name) => name.startsWith("/")) ? "tar: Removing leading `/' from member names\n" : "";
  let failed = false;
  for (const name of names) {
    const file = fs.resolvePath(cwd, name);
    if (await fs.exists(file)) entries.push(...(await entriesOf(fs, file, name.replace(/^\/+/, "").replace(/\/+$/, "") || ".")));
    else {
      failed = true;
      stderr += `tar: ${name}: Cannot stat: No such file or directory\n`;
    }
  }
  if (failed) stderr += "tar: Exiting with failure status due to previous errors\n";
  return { ...bytesOutput(unsafeBytesFromLatin1(tarOf(entries).toString("latin1"))), stderr, exitCode: failed ? 2 : 0 };
}

export const CONTAINER_TAR: Command = defineCommand("tar", async (args, shell: ResolvedCommandContext) => {
  const known = args.filter((arg) => arg !== "--no-same-permissions" && arg !== "--no-same-owner");
  const [mode = "", target, ...names] = known;
  if (/^-?cf$/.test(mode) && target === "-" && !names.some((name) => name.startsWith("-"))) return create(names, shell);
  return shell.origCommand?.(known) ?? { stdout: "", stderr: "tar: not available\n", exitCode: 127 };
});

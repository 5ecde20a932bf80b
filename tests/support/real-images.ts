/**
 * Builds images by buildah as root, with its own storage (driver `vfs`) and without namespaces (isolation `chroot`). No registry is used:
 * base images are stand-ins made from `scratch`, Debian's static busybox and this machine's Go.
 */
import { execFileSync, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { findOnPath } from "../../common/executables";

/** Programs that the steps of a Dockerfile call. */
const APPLETS = ["sh", "echo", "cat", "test", "mkdir", "wget", "id", "sleep"];
const CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt";
/** The cache of Go's downloads and compiled packages, kept between runs. */
const GO_CACHE = path.join(process.env["XDG_CACHE_HOME"] || path.join(os.homedir(), ".cache"), "homelab", "real-parts", "go-of-images");

export class RealImages {
  private readonly folder = fs.mkdtempSync(path.join(os.tmpdir(), "images-"));

  constructor(
    private readonly buildah: string,
    private readonly busybox: string,
  ) {}

  private storage(): string[] {
    return ["--root", path.join(this.folder, "root"), "--runroot", path.join(this.folder, "run"), "--storage-driver", "vfs"];
  }

  private call(args: readonly string[]): string {
    try {
      return execFileSync(this.buildah, [...this.storage(), ...args], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], maxBuffer: 2 ** 26 });
    } catch (thrown) {
      throw new Error(`buildah ${args.slice(0, 3).join(" ")}: ${(thrown as { stderr?: string }).stderr?.slice(-3000)}`, { cause: thrown });
    }
  }

  /** Builds an image with a shell, certificates, and Go's folder on its PATH. @returns its name */
  standIn(name: string): string {
    const context = path.join(this.folder, name);
    for (const folder of ["bin", "etc/ssl/certs", "tmp", "root"]) fs.mkdirSync(path.join(context, folder), { recursive: true });
    fs.copyFileSync(this.busybox, path.join(context, "bin", "busybox"));
    for (const applet of APPLETS) fs.symlinkSync("busybox", path.join(context, "bin", applet));
    fs.copyFileSync(CERTIFICATES, path.join(context, CERTIFICATES));
    for (const file of ["passwd", "group"]) fs.writeFileSync(path.join(context, "etc", file), "");
    const lines = [
      "FROM scratch",
      "COPY . /",
      "ENV PATH=/usr/local/go/bin:/bin GOCACHE=/cache/build GOMODCACHE=/cache/mod GOFLAGS=-modcacherw GOTOOLCHAIN=local",
    ];
    fs.writeFileSync(path.join(this.folder, `${name}.Dockerfile`), `${lines.join("\n")}\n`);
    const tag = `localhost/${name}:1`;
    this.call(["build", "--isolation", "chroot", "--file", path.join(this.folder, `${name}.Dockerfile`), "--tag", tag, context]);
    return tag;
  }

  build(tag: string, dockerfile: string, context: string, args: Readonly<Record<string, string>>): void {
    const go = findOnPath("go");
    if (go === undefined) throw new Error("Go is not on PATH: the stage that compiles needs it");
    const root = execFileSync(go, ["env", "GOROOT"], { encoding: "utf8" }).trim();
    fs.mkdirSync(GO_CACHE, { recursive: true });
    const given = Object.entries(args).flatMap(([key, value]) => ["--build-arg", `${key}=${value}`]);
    const volumes = ["--volume", `${root}:/usr/local/go:ro`, "--volume", `${GO_CACHE}:/cache`];
    this.call(["build", "--isolation", "chroot", "--format", "docker", ...volumes, "--file", dockerfile, "--tag", tag, ...given, context]);
  }

  /** The configuration of an image, in Docker's form. */
  config(tag: string): Record<string, unknown> {
    return (JSON.parse(this.call(["inspect", "--type", "image", tag])) as { Docker: { config: Record<string, unknown> } }).Docker.config;
  }

  /** The path of a file in the mounted image. */
  file(tag: string, name: string): string {
    return path.join(this.mount(tag), name);
  }

  /** The paths of all files of an image. */
  files(tag: string): string[] {
    const root = this.mount(tag);
    const entries = fs.readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => !entry.isDirectory());
    return entries.map(({ parentPath, name }) => path.join("/", path.relative(root, parentPath), name)).toSorted();
  }

  private mount(tag: string): string {
    return this.call(["mount", this.call(["from", tag]).trim()]).trim();
  }

  /**
   * Runs a container with the image's own command, in a network that has nothing else, and runs commands beside it.
   * @param ask commands of busybox's shell; `$RUN` followed by a command runs it in the container
   * @returns their output
   */
  askInside(tag: string, env: Readonly<Record<string, string>>, ask: string): string {
    const container = this.call(["from", tag]).trim();
    const { Entrypoint, Cmd } = this.config(tag) as { Entrypoint?: string[]; Cmd?: string[] };
    const run = [
      this.buildah,
      ...this.storage(),
      "run",
      "--isolation",
      "chroot",
      ...Object.entries(env).flatMap(([key, value]) => ["--env", `${key}=${value}`]),
    ];
    const command = [...(Entrypoint ?? []), ...(Cmd ?? [])].join(" ");
    const log = path.join(this.folder, "container.log");
    const script = `ip link set lo up; RUN="${run.join(" ")} ${container}"; $RUN ${command} >${log} 2>&1 & ${ask}`;
    // All processes of the namespace end with its first process.
    const { stdout, stderr, status } = spawnSync("unshare", ["--net", "--pid", "--fork", "--kill-child", "sh", "-c", script], {
      encoding: "utf8",
      timeout: 180_000,
    });
    if (status !== 0) throw new Error(`${tag} could not be asked (${status}): ${stderr}${fs.readFileSync(log, "utf8").slice(-2000)}`);
    return stdout;
  }

  remove(): void {
    this.call(["umount", "--all"]);
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}

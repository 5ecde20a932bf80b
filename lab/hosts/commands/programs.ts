import { decodeBytesToUtf8 } from "just-bash";
import { parse } from "yaml";
import { z } from "zod";
import { absolute, fail, type HostCommand, type Invocation, ok, parseFlags, unmodelled } from "../command";

const DAY_MS = 86_400_000;

/** A key's stand-in says which one it is: `lab-fingerprint: …` for each key of the file. */
const gpg: HostCommand = async (run) => {
  const { flags, rest, unknown } = parseFlags(run.args, [], ["batch", "show-keys", "with-colons"]);
  if (unknown || rest.length > 1 || !flags.has("show-keys") || !flags.has("with-colons")) return unmodelled(run, "gpg", unknown ?? run.args.join(" "));
  const text = (await run.shell.fs.exists(absolute(run, rest[0] ?? ""))) ? await run.shell.fs.readFile(absolute(run, rest[0] ?? "")) : "";
  const keys = [...text.matchAll(/^lab-fingerprint: ([0-9A-F]{40})$/gm)].map((match) => match[1]);
  if (keys.length === 0) return fail("gpg: no valid OpenPGP data found.", 2);
  return ok(keys.map((key) => `pub:-:4096:1:${key?.slice(-16)}:1650000000:::-:::scSC::::::23::0:\nfpr:::::::::${key}:\n`).join(""));
};

/** The lab's certificates for hosts say when they end: `lab-ends: MILLISECONDS`. */
const openssl: HostCommand = async (run) => {
  if (run.args[0] !== "x509" || run.args[1] !== "-in" || run.args[3] !== "-noout" || run.args[4] !== "-checkend" || run.args.length !== 6)
    return unmodelled(run, "openssl", run.args.join(" "));
  const text = await run.shell.fs.readFile(absolute(run, run.args[2] ?? ""));
  const ends = Number(/^lab-ends: (\d+)$/m.exec(text)?.[1] ?? 0);
  const good = ends > run.machine.ctx.clock.now() + Number(run.args[5]) * 1000;
  return { stdout: good ? "Certificate will not expire\n" : "Certificate will expire\n", stderr: "", exitCode: good ? 0 : 1 };
};

async function issue(run: Invocation, name: string, names: readonly string[]): Promise<void> {
  const live = `/etc/letsencrypt/live/${name}`;
  const text = `-----BEGIN CERTIFICATE-----\nlab-names: ${names.join(" ")}\nlab-ends: ${run.machine.ctx.clock.now() + 90 * DAY_MS}\n-----END CERTIFICATE-----\n`;
  await run.machine.disk.makeFolder("/etc/letsencrypt/live", 0o700);
  await run.machine.disk.install(`${live}/fullchain.pem`, text);
  await run.machine.disk.install(`${live}/privkey.pem`, "lab: private key\n", 0o600);
}

async function certbot(run: Invocation, args: string[]) {
  const values = ["email", "domains", "cert-name", "dns-cloudflare-credentials"];
  const { flags, rest, unknown } = parseFlags(args, values, ["non-interactive", "agree-tos", "keep-until-expiring", "dns-cloudflare", "force-renewal", "q"]);
  if (unknown) return unmodelled(run, "certbot", unknown);
  const { disk } = run.machine;
  if (rest[0] === "certonly") {
    if (!flags.has("dns-cloudflare") || rest.length > 1) return unmodelled(run, "certbot", rest.slice(1).join(" ") || "certonly without --dns-cloudflare");
    const credentials = await disk.read(flags.get("dns-cloudflare-credentials")?.[0] ?? "");
    if (!run.machine.packages.has("python3-certbot-dns-cloudflare")) return fail("certbot: error: unrecognized arguments: --dns-cloudflare", 2);
    if (!/^dns_cloudflare_api_token = \S+$/m.test(credentials ?? "")) return fail("Missing property in credentials configuration file");
    await issue(run, flags.get("cert-name")?.[0] ?? "", (flags.get("domains")?.[0] ?? "").split(","));
    return ok();
  }
  if (rest[0] !== "renew" || !flags.has("force-renewal")) return unmodelled(run, "certbot", args.join(" "));
  for (const name of await disk.inner.readdir("/etc/letsencrypt/live")) {
    const names = /^lab-names: (.*)$/m.exec((await disk.read(`/etc/letsencrypt/live/${name}/fullchain.pem`)) ?? "")?.[1] ?? name;
    await issue(run, name, names.split(" "));
  }
  const hooks = "/etc/letsencrypt/renewal-hooks/deploy";
  for (const hook of (await disk.inner.exists(hooks)) ? await disk.inner.readdir(hooks) : []) {
    const result = await run.runAs(run.who, `${hooks}/${hook}`, { env: {}, cwd: "/", stdin: "" });
    if (result.exitCode !== 0) return fail(`Hook 'deploy-hook' reported error code ${result.exitCode}: ${result.stderr}`);
  }
  return ok();
}

const TELEPORT_KEYS = new Set(["version", "teleport", "auth_service", "proxy_service", "ssh_service", "app_service", "db_service", "kubernetes_service"]);

async function teleport(run: Invocation, args: string[]) {
  if (args[0] !== "configure" || args[1] !== "--test" || args.length !== 3) return unmodelled(run, "teleport", args.join(" "));
  const config: unknown = parse(await run.shell.fs.readFile(absolute(run, args[2] ?? "")));
  const wrong = Object.keys(z.record(z.string(), z.unknown()).parse(config)).find((key) => !TELEPORT_KEYS.has(key));
  return wrong === undefined ? ok("OK\n") : fail(`ERROR: failed to parse Teleport configuration: field ${wrong} not found`);
}

const ROLES = "/var/lib/teleport/lab-roles.json";
const roleSchema = z.looseObject({ kind: z.literal("role"), metadata: z.looseObject({ name: z.string() }) });

async function tctl(run: Invocation, args: string[]) {
  const { flags, rest, unknown } = parseFlags(args, ["config", "format"], ["f"]);
  if (unknown) return unmodelled(run, "tctl", unknown);
  if (run.machine.units.get("teleport.service")?.state !== "active") return fail("ERROR: Cannot connect to the auth server. Is it running?");
  const roles = z.record(z.string(), z.unknown()).parse(JSON.parse((await run.machine.disk.read(ROLES)) ?? "{}"));
  if (rest[0] === "get" && rest[1]?.startsWith("role/") && flags.get("format")?.[0] === "json") {
    const role = roles[rest[1].slice(5)];
    return role === undefined ? fail(`ERROR: role ${rest[1].slice(5)} is not found`) : ok(`${JSON.stringify([role], undefined, 4)}\n`);
  }
  if (rest[0] !== "create" || !flags.has("f")) return unmodelled(run, "tctl", args.join(" "));
  const role = roleSchema.parse(parse(decodeBytesToUtf8(run.shell.stdin)));
  // The server fills in what a role leaves out.
  await run.machine.disk.install(ROLES, JSON.stringify({ ...roles, [role.metadata.name]: { ...role, metadata: { ...role.metadata, revision: "1" } } }), 0o600);
  return ok(`role "${role.metadata.name}" has been created\n`);
}

const HAPROXY_SECTIONS = /^(global|defaults|frontend|backend|listen|userlist)(\s+(\S+))?$/;
/** Keywords of haproxy.cfg and their values that the lab models. The real program has many more: any other is a gap of the lab. */
const HAPROXY_WORDS: Readonly<Record<string, RegExp>> = {
  log: /^(global|\/dev\/log local\d)$/,
  user: /^\S+( insecure-password ".*")?$/,
  group: /^\S+$/,
  daemon: /^$/,
  stats: /^(socket \S+( mode \d+)?( level (admin|operator|user))?|enable|uri \/\S*|refresh \d+s)$/,
  mode: /^(tcp|http)$/,
  option: /^(tcplog|httplog|dontlognull|tcp-check)$/,
  timeout: /^(connect|client|server|check) \d+(ms|s|m|h)?$/,
  bind: /^(\*|[\d.]+)?:\d+$/,
  default_backend: /^\S+$/,
  balance: /^(roundrobin|leastconn|source)$/,
  server: /^\S+ \S+:\d+( check| inter \d+s| fall \d+| rise \d+)*$/,
  "http-request": /^auth realm \S+ unless \{ http_auth\(\S+\) \}$/,
  maxconn: /^\d+$/,
};

/** @param gap gets a line that the lab does not model */
function haproxyProblem(text: string, gap: (line: string) => void): string | undefined {
  let section = "";
  const backends = new Set([...text.matchAll(/^backend\s+(\S+)/gm)].map((match) => match[1]));
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    const found = HAPROXY_SECTIONS.exec(line);
    const [word = "", value] = line.split(/\s+/);
    if (found) section = found[1] ?? "";
    else if (section === "" || HAPROXY_WORDS[word] === undefined)
      return `parsing [haproxy.cfg:${index + 1}] : unknown keyword '${word}' in '${section}' section`;
    else if (!HAPROXY_WORDS[word].test(line.slice(word.length).trim())) {
      gap(word);
      return `parsing [haproxy.cfg:${index + 1}] : this value of '${word}' is not modelled by the lab`;
    } else if (word === "default_backend" && !backends.has(value)) return `Proxy: unable to find required default_backend: '${value}'.`;
  }
  return text.endsWith("\n") ? undefined : "Missing LF on last line, file might have been truncated";
}

async function haproxy(run: Invocation, version: string, args: string[]) {
  if (args.join(" ") === "-v") return ok(`HAProxy version ${version}\n`);
  const { flags, rest, unknown } = parseFlags(args, ["f"], ["c", "q"]);
  if (unknown || rest.length > 0 || !flags.has("c") || flags.get("f")?.length !== 1) return unmodelled(run, "haproxy", unknown ?? args.join(" "));
  const gap = (word: string): void => void unmodelled(run, "haproxy -c", `this value of ${word}`);
  const problem = haproxyProblem(await run.shell.fs.readFile(absolute(run, flags.get("f")?.[0] ?? "")), gap);
  return problem === undefined ? ok(flags.has("q") ? "" : "Configuration file is valid\n") : fail(flags.has("q") ? "" : `[ALERT]    (1) : config : ${problem}`);
}

async function dnsmasq(run: Invocation, args: string[]) {
  const name = args.find((arg) => arg.startsWith("--conf-file="))?.slice(12);
  if (args[0] !== "--test" || name === undefined) return unmodelled(run, "dnsmasq", args.join(" "));
  const known = ["port", "log-dhcp", "dhcp-range", "enable-tftp", "tftp-root", "pxe-service"];
  const wrong = (await run.shell.fs.readFile(absolute(run, name))).split("\n").find((line) => line !== "" && !known.includes(line.split("=")[0] ?? ""));
  return wrong === undefined ? { stdout: "", stderr: "dnsmasq: syntax check OK.\n", exitCode: 0 } : fail(`dnsmasq: bad option at line of ${name}: ${wrong}`);
}

async function prepareIso(run: Invocation, args: string[]) {
  const { flags, rest, unknown } = parseFlags(args, ["fetch-from", "url", "output", "tmp"], []);
  if (unknown || rest[0] !== "prepare-iso") return unmodelled(run, "proxmox-auto-install-assistant", unknown ?? args.join(" "));
  const source = await run.shell.fs.readFile(absolute(run, rest[1] ?? ""));
  await run.shell.fs.writeFile(absolute(run, flags.get("output")?.[0] ?? ""), `${source}answer from ${flags.get("url")?.[0]}\n`);
  return ok();
}

async function xorriso(run: Invocation, args: string[]) {
  if (args.slice(0, 3).join(" ") !== "-osirrox on -indev") return unmodelled(run, "xorriso", args.join(" "));
  for (let i = 4; i < args.length; i += 3) {
    if (args[i] !== "-extract") return unmodelled(run, "xorriso", args[i] ?? "");
    await run.shell.fs.writeFile(absolute(run, args[i + 2] ?? ""), `lab stand-in: ${args[i + 1]}\n`);
  }
  return ok();
}

async function cpio(run: Invocation, args: string[]) {
  if (args.join(" ") !== "--quiet -o -H newc") return unmodelled(run, "cpio", args.join(" "));
  let stdout = "";
  for (const name of decodeBytesToUtf8(run.shell.stdin)
    .split("\n")
    .filter((line) => line !== ""))
    stdout += `lab cpio ${name}\n${await run.shell.fs.readFile(absolute(run, name))}`;
  return ok(stdout);
}

/** An archive's stand-in: its first line is `lab-archive MEMBER`, the rest is the member. Everything else is the shell's own tar's. */
const tar: HostCommand = async (run) => {
  const original = run.shell.origCommand;
  const name = run.args[1];
  const text =
    run.args[0] === "-xzOf" && name !== undefined && (await run.shell.fs.exists(absolute(run, name))) ? await run.shell.fs.readFile(absolute(run, name)) : "";
  const member = /^lab-archive (\S+)\n/.exec(text);
  if (!member) return original ? original(run.args) : fail("tar: not available", 127);
  if (member[1] !== run.args[2]) return fail(`tar: ${run.args[2]}: Not found in archive\ntar: Exiting with failure status due to previous errors`, 2);
  return ok(text.slice(member[0].length));
};

export const PROGRAMS: Readonly<Record<string, (run: Invocation, version: string, args: string[]) => ReturnType<HostCommand>>> = {
  certbot: (run, _version, args) => certbot(run, args),
  teleport: (run, _version, args) => teleport(run, args),
  tctl: (run, _version, args) => tctl(run, args),
  haproxy,
  dnsmasq: (run, _version, args) => dnsmasq(run, args),
  "proxmox-auto-install-assistant": (run, _version, args) => prepareIso(run, args),
  xorriso: (run, _version, args) => xorriso(run, args),
  cpio: (run, _version, args) => cpio(run, args),
};

export const PROGRAM_COMMANDS: Record<string, HostCommand> = { gpg, openssl, tar };

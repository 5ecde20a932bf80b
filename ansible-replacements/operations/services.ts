import * as crypto from "node:crypto";
import { quote } from "../../common/quote";
import type { Operation } from "../role";

/** Folder with one stamp per service, which records what it was last started with. */
const STAMPS = "/var/lib/homelab/applied";
const RELOAD_SECONDS = 30;

export interface ServiceArgs {
  /** Name of the unit without `.service`. */
  name: string;
  /** All that the service reads when it starts. When it differs from the last start, the service is restarted. */
  startedWith: readonly string[];
  /**
   * Its files on the host. One that was written after the recorded start counts as different: somebody may have started the service while
   * the file had other content.
   */
  writtenTo?: readonly string[];
  /** Paths on the host whose content counts as well: for files with secrets, which the program does not put into the script. */
  startedWithFiles?: readonly string[];
  /** Paths that the service reads anew on a reload: a difference reloads it, without a restart, and the reload is waited for. */
  reloadedWithFiles?: readonly string[];
  /** The unit is made by a generator of systemd from another file, and that file enables it. Default false. */
  generated?: boolean;
}

const sumOf = (paths: readonly string[]): string => (paths.length === 0 ? "" : ` $(sha256sum ${paths.map(quote).join(" ")} | sha256sum | cut -d ' ' -f 1)`);

const FUNCTIONS = {
  // A file that is newer than the stamp counts as changed even with the right content: it may have had other content when the service read it.
  hl_stamped: `hl_stamp=$(cat "${STAMPS}/$1" 2>/dev/null)
  [ "$hl_stamp" = "$2" ] || return 1
  hl_of=$1
  shift 2
  [ "$#" -eq 0 ] || [ -z "$(find "$@" -newer "${STAMPS}/$hl_of" 2>/dev/null)" ]`,
  hl_write_stamp: `mkdir -p ${STAMPS} &&
  printf '%s' "$2" > "${STAMPS}/$1.homelab-part" &&
  mv -f "${STAMPS}/$1.homelab-part" "${STAMPS}/$1"`,
};

/**
 * `systemctl reload` returns when the unit's `ExecReload=` does. A service that notifies systemd (`RELOADING=1`, then `READY=1`; sd_notify(3))
 * serves with its old configuration until `READY=1`, and its unit is `reloading` until then. haproxy sends `RELOADING=1` a moment after the
 * signal.
 */
const RELOADS = {
  hl_settled: `hl_try=0
  while [ "$(systemctl is-active "$1")" = reloading ]; do
    hl_try=$((hl_try + 1))
    [ "$hl_try" -lt ${RELOAD_SECONDS} ] || { printf '%s has not finished its reload after %s seconds\\n' "$1" ${RELOAD_SECONDS} >&2; return 1; }
    sleep 1
  done`,
};

const isEnabled = (unit: string): string => `{ systemctl is-enabled --quiet ${unit} || hl_say ${quote(`${unit} is not enabled`)}; }`;
const isActive = (unit: string): string => `{ systemctl is-active --quiet ${unit} || hl_say ${quote(`${unit} does not run`)}; }`;

/**
 * A service that runs, starts with the host, and was started with its present files. A stamp on the host records what it was started with:
 * if a run is interrupted between the change of a file and the restart, the next run restarts the service.
 */
export function service({ name, startedWith, writtenTo = [], startedWithFiles = [], reloadedWithFiles = [], generated = false }: ServiceArgs): Operation {
  const digest = crypto.createHash("sha256").update(JSON.stringify(startedWith)).digest("hex");
  const unit = quote(`${name}.service`);
  const started = `"${digest}${sumOf(startedWithFiles)}"`;
  const loaded = `"${sumOf(reloadedWithFiles)}"`;
  const stamp = quote(name);
  const reloadStamp = quote(`${name}.reload`);
  const paths = (files: readonly string[]): string => files.map((file) => ` ${quote(file)}`).join("");
  const isStarted = `hl_stamped ${stamp} ${started}${paths([...writtenTo, ...startedWithFiles])}`;
  const reloads = reloadedWithFiles.length > 0;
  const start = [...(generated ? [] : [`systemctl enable ${unit}`]), `systemctl restart ${unit}`, `hl_write_stamp ${stamp} ${started}`].join(" && ");
  return {
    name: `service ${name}`,
    functions: reloads ? { ...FUNCTIONS, ...RELOADS } : FUNCTIONS,
    check: [
      `{ ${isStarted} || hl_say ${quote(`${name} was started with other files`)}; }`,
      ...(reloads ? [`{ hl_stamped ${reloadStamp} ${loaded}${paths(reloadedWithFiles)} || hl_say ${quote(`${name} runs with another configuration`)}; }`] : []),
      ...(generated ? [] : [isEnabled(unit)]),
      isActive(unit),
    ],
    apply: [
      "systemctl daemon-reload",
      reloads
        ? `{ if ${isStarted} && systemctl is-enabled --quiet ${unit} && systemctl is-active --quiet ${unit} && hl_settled ${unit}; then systemctl reload ${unit} && sleep 1 && hl_settled ${unit}; else ${start}; fi; }`
        : `{ ${start}; }`,
      ...(reloads ? [`hl_write_stamp ${reloadStamp} ${loaded}`] : []),
    ],
  };
}

/** A unit that is enabled and runs, such as a timer; its files are the package's. @param unit with its suffix */
export function unitRunning(unit: string): Operation {
  return {
    name: `unit ${unit} runs`,
    check: [isEnabled(quote(unit)), isActive(quote(unit))],
    apply: [`systemctl enable ${quote(unit)}`, `systemctl start ${quote(unit)}`],
  };
}

/** A unit that starts with the host, whether or not it can run yet. @param unit with its suffix */
export function unitEnabled(unit: string): Operation {
  return {
    name: `unit ${unit} enabled`,
    check: [isEnabled(quote(unit))],
    apply: ["systemctl daemon-reload", `systemctl enable ${quote(unit)}`],
  };
}

/** A unit that neither runs nor starts with the host, if it is there at all. @param unit with its suffix */
export function unitStopped(unit: string): Operation {
  const name = quote(unit);
  return {
    name: `unit ${unit} stopped`,
    check: [
      `{ ! systemctl is-active --quiet ${name} || hl_say ${quote(`${unit} runs`)}; }`,
      `{ ! systemctl is-enabled --quiet ${name} 2>/dev/null || hl_say ${quote(`${unit} starts with the host`)}; }`,
    ],
    apply: [
      `{ ! systemctl is-active --quiet ${name} || systemctl stop ${name}; }`,
      `{ ! systemctl is-enabled --quiet ${name} 2>/dev/null || systemctl disable ${name}; }`,
    ],
  };
}

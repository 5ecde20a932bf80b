/** What a pipeline is made of, in words that both hosts know. ADR 15 says why there is one description. */

/** Which token rights a job of GitHub's gets; what is not named, it does not have. */
export type Permissions = Readonly<Record<string, "read" | "write">>;

/** One command: a program and its words, with no shell operator in it. Where the hosts differ, each has its own. */
export type Command = string | { readonly github: string; readonly gitlab: string };

/** Something that an action does on GitHub. GitLab has its own key for it, or the job says so in `gitlab`. */
export interface ActionStep {
  readonly uses: string;
  readonly name?: string;
  readonly id?: string;
  readonly if?: string;
  readonly with?: Readonly<Record<string, string | number | boolean>>;
  readonly env?: Readonly<Record<string, string>> | string;
  readonly continueOnError?: true;
}

export interface RunStep {
  readonly run: Command;
  readonly id?: string;
  readonly if?: string;
  /** Below the checkout. */
  readonly folder?: string;
}

export type Step = ActionStep | RunStep;

/** When a job runs. `called`: by another repository's workflow on GitHub, by another project's pipeline on GitLab. */
export type Trigger = "change" | "main" | "nightly" | "by-hand" | "called";

export interface Job {
  readonly name: string;
  /** One sentence: what it is for. */
  readonly title: string;
  readonly on: readonly Trigger[];
  readonly timeoutMinutes: number;
  readonly permissions: Permissions;
  /** Hosted by GitHub or GitLab, or a runner of ours with the label `homelab`, which reaches the servers. */
  readonly runner: "hosted" | "homelab";
  /** Approval, and secrets that no other job sees. */
  readonly environment?: { readonly github?: string; readonly gitlab?: string };
  /** Variables by name, of the host's store of secrets. `GITHUB_TOKEN` is the job's own, with {@link permissions}. */
  readonly secrets?: { readonly github?: readonly string[]; readonly gitlab?: readonly string[] };
  /** Variables with values; expressions of GitHub's stand only here and in `with`, never in a command. */
  readonly env?: Readonly<Record<string, string>>;
  /** Kept for a week, also after a failure. `child`: a pipeline that GitLab runs as a child of this one. On GitHub the job has outputs instead. */
  readonly artefacts?: { readonly name: string; readonly paths: readonly string[]; readonly child?: string };
  /** Commits to fetch; 0 is all of them. */
  readonly depth?: number;
  /** Steps before the commands, on GitHub alone; default: checkout and Node. */
  readonly prepare?: readonly ActionStep[];
  readonly steps: readonly Step[];
  /** Only on one of the hosts. */
  readonly only?: "github" | "gitlab";
  /** Jobs by name that must have passed. It gets their artefacts. On GitHub only those of the same workflow. */
  readonly needs?: readonly string[];
  /** It runs even where a job that it needs has failed, in order to report that. */
  readonly always?: true;
  /** Of a job that is `called`: the variable of GitLab that selects this job. */
  readonly calledWith?: string;
  /** Changes what is outside, or needs the real homelab: never run by `make ci-local`. */
  readonly outside?: true;
}

/** The command as one host runs it. */
export const commandFor = (command: Command, host: "github" | "gitlab"): string => (typeof command === "string" ? command : command[host]);
export const isRun = (step: Step): step is RunStep => "run" in step;

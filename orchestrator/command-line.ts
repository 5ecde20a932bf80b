import { HomelabError } from "../common/errors";
import { type Arguments, parseArguments } from "./cli/arguments";
import { EXIT } from "./cli/exit-codes";
import type { Session } from "./cli/session";

interface Command {
  summary: string;
  usage: string;
  takesWords: boolean;
  /** Loaded when it is run, so that `homelab help` loads nothing. */
  load(): Promise<{ options: Parameters<typeof parseArguments>[1]; run(args: Arguments, session: Session): Promise<number> }>;
}

const RUN_FLAGS = "[stack…] [--lab] [--engine auto|pulumi|embedded] [--only] [--concurrency N] [--parallel N] [--fail-fast] [--json|--plain]";

const runCommand = (operation: "up" | "preview" | "refresh" | "destroy", summary: string, extra = ""): Command => ({
  summary,
  usage: `${RUN_FLAGS}${extra}`,
  takesWords: true,
  load: async () => {
    const { RUN_OPTIONS, runStacks } = await import("./commands/run-stacks");
    return { options: RUN_OPTIONS, run: (args, session) => runStacks(operation, args, session) };
  },
});

const COMMANDS: Record<string, Command> = {
  up: runCommand(
    "up",
    "builds or updates the stacks, in order (named ones with all that they need); shows and asks first, but not in the lab",
    " [--yes] [--wait]",
  ),
  preview: runCommand("preview", "shows what up would do, also where nothing is built yet", " [--expect-no-changes] [--markdown FILE] [--report FILE]"),
  refresh: runCommand("refresh", "reads the real world into the state", " [--wait]"),
  destroy: runCommand(
    "destroy",
    "destroys the stacks in reverse order (named ones with all that need them); asks for the site's name, but not in the lab",
    " [--yes] [--wait]",
  ),
  unlock: {
    summary: "clears the lock of stacks whose run is gone (that of a dead process on this machine goes by itself)",
    usage: "<stack>… [--lab] [--engine auto|pulumi|embedded] [--yes]",
    takesWords: true,
    load: async () => {
      const { UNLOCK_OPTIONS, unlockStacks } = await import("./commands/unlock-stacks");
      return { options: UNLOCK_OPTIONS, run: unlockStacks };
    },
  },
  pending: {
    summary: "lists creations that a killed run left open; --adopt takes what they made into the state, --clear forgets them",
    usage: "[stack…] [--adopt|--clear] [--lab] [--engine auto|pulumi|embedded] [--yes]",
    takesWords: true,
    load: async () => {
      const { PENDING_OPTIONS, showPending } = await import("./commands/show-pending");
      return { options: PENDING_OPTIONS, run: showPending };
    },
  },
  outputs: {
    summary: "prints each stack's outputs",
    usage: "[stack…] [--lab] [--json] [--show-secrets]",
    takesWords: true,
    load: async () => {
      const { QUERY_OPTIONS, showOutputs } = await import("./commands/query-stacks");
      return { options: QUERY_OPTIONS, run: showOutputs };
    },
  },
  status: {
    summary: "prints what is built, when, and whether a run is under way or in doubt",
    usage: "[stack…] [--lab] [--json]",
    takesWords: true,
    load: async () => {
      const { QUERY_OPTIONS, showStatus } = await import("./commands/query-stacks");
      return { options: QUERY_OPTIONS, run: showStatus };
    },
  },
  graph: {
    summary: "prints the graph of the stacks",
    usage: "[--format mermaid|dot|json]",
    takesWords: false,
    load: async () => {
      const { GRAPH_OPTIONS, showGraph } = await import("./commands/show-graph");
      return { options: GRAPH_OPTIONS, run: showGraph };
    },
  },
  hosts: {
    summary: "shows what the roles would change on the hosts now, changes it, or tells who the hosts are",
    usage: "check|diff|apply [--host H[,H…]] [--lab] [--json] | inventory [--format json|ini|ssh-config|known-hosts] [--lab]",
    takesWords: true,
    load: async () => {
      const { HOSTS_OPTIONS, manageHosts } = await import("./commands/hosts");
      return { options: HOSTS_OPTIONS, run: manageHosts };
    },
  },
  ssh: {
    summary: "opens a session on a host, with the homelab's key from secrets/, which is never on disk",
    usage: "<host> [--lab] [-- command…]",
    takesWords: true,
    load: async () => {
      const { openShell, SSH_OPTIONS } = await import("./commands/open-shell");
      return { options: SSH_OPTIONS, run: openShell };
    },
  },
  lab: {
    summary: "starts, stops or describes the embedded lab; env prints what other programs need to work in it",
    usage: "start|stop|status|env [--latency default|zero] [--proxy-port N] [--bastion-port N] [--control-port N] [--json]",
    takesWords: true,
    load: async () => {
      const { LAB_OPTIONS, manageLab } = await import("./commands/manage-lab");
      return { options: LAB_OPTIONS, run: manageLab };
    },
  },
  secrets: {
    summary: "reads, writes, checks and rotates the encrypted files; values come from a prompt or standard input",
    usage:
      "list|check | get|set <entry> <key> | new <entry> <key>… | view|edit <entry> | rotate|recipients [entry…] | generate <credential> [--env stack] [--staged] [--json]",
    takesWords: true,
    load: async () => {
      const { SECRETS_OPTIONS, manageSecrets } = await import("./commands/secrets");
      return { options: SECRETS_OPTIONS, run: manageSecrets };
    },
  },
  vault: {
    summary: "unseals Vault, says its state, makes or revokes a root token, and finds or deletes entries that are no longer in Git",
    usage: "status|unseal|root|revoke|orphans | delete <entry>… [--lab] [--json]",
    takesWords: true,
    load: async () => {
      const { VAULT_OPTIONS, manageVault } = await import("./commands/vault");
      return { options: VAULT_OPTIONS, run: manageVault };
    },
  },
  state: {
    summary: "moves stacks to another state backend, verifies them there, and can go back",
    usage: "migrate [stack…] --from URL --to URL | migrate --back  [--lab] [--engine auto|pulumi|embedded]",
    takesWords: true,
    load: async () => {
      const { migrateState, STATE_OPTIONS } = await import("./commands/migrate-state");
      return { options: STATE_OPTIONS, run: migrateState };
    },
  },
  comment: {
    summary: "renders a preview's report, checked against its schema, as the text of a pull request's comment",
    usage: "--report FILE [--failure FILE]",
    takesWords: false,
    load: async () => {
      const { COMMENT_OPTIONS, writeComment } = await import("./commands/write-comment");
      return { options: COMMENT_OPTIONS, run: writeComment };
    },
  },
  doctor: {
    summary: "says which engine, providers and tools a run would use, and why",
    usage: "[--lab] [--engine auto|pulumi|embedded] [--json]",
    takesWords: false,
    load: async () => {
      const { DOCTOR_OPTIONS, doctor } = await import("./commands/doctor");
      return { options: DOCTOR_OPTIONS, run: doctor };
    },
  },
};

function helpText(): string {
  const lines = Object.entries(COMMANDS).map(([name, { summary, usage }]) => `  ${name.padEnd(9)} ${summary}\n            ${name} ${usage}`);
  return `homelab: previews, builds, rebuilds and destroys the homelab's stacks in order\n\n${lines.join("\n")}\n\nExit codes: 0 done, 1 failed, 2 usage, 3 changes found, 4 refused, 130 interrupted.\n`;
}

/** Runs one command line. Throws HomelabError; usage errors have the code E_USAGE. */
export async function runCommandLine(argv: readonly string[], session: Session): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined || name === "help" || name === "--help" || name === "-h") {
    session.out(helpText());
    return name === undefined ? EXIT.usage : EXIT.done;
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) throw new HomelabError("E_USAGE", `there is no command ${name}`, { hint: `use one of: ${Object.keys(COMMANDS).join(", ")}` });
  if (rest.includes("--help") || rest.includes("-h")) {
    session.out(`homelab ${name} ${command.usage}\n  ${command.summary}\n`);
    return EXIT.done;
  }
  const { options, run } = await command.load();
  return run(parseArguments(rest, options, command.takesWords), session);
}

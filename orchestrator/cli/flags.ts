/** Flags that several commands take, each described once. */
import type { Flag, Word } from "./command";

export const ENGINE_CHOICES = ["auto", "pulumi", "embedded"] as const;

export const GRAPH_FORMATS = ["mermaid", "dot", "json"] as const;
export const INVENTORY_FORMATS = ["json", "ini", "ssh-config", "known-hosts"] as const;
export const IMAGE_BUILDERS = ["docker", "buildah"] as const;
export const LAB_LATENCIES = ["default", "zero"] as const;

export const LAB: Flag = { name: "lab", help: "work in the embedded lab, and not on the real homelab" };
export const ENGINE: Flag = {
  name: "engine",
  value: "NAME",
  choices: ENGINE_CHOICES,
  help: "the engine; auto (the default) takes the pulumi on PATH, and the embedded one where there is none",
};
const CONCURRENCY: Flag = {
  name: "concurrency",
  value: "N",
  count: true,
  help: "how many stacks run at the same time (default 3; a preview: at most one for each processor)",
};
export const JSON_OUTPUT: Flag = { name: "json", help: "print JSON, for programs" };
export const WAIT: Flag = { name: "wait", help: "wait for a run that is under way or holds a stack's lock, instead of failing" };
export const YES: Flag = { name: "yes", help: "do not ask: for scripts" };

export const APPROVE: Flag = {
  name: "approve",
  value: "WHAT[,…]",
  help: "agree to changes that cannot be undone, by the names that the refusal prints; <stack>/* agrees to all of a stack, production to changes of production that lose nothing, all to everything",
};

/** Flags of every command that reads the stacks' states. */
export const QUERY_FLAGS: readonly Flag[] = [LAB, ENGINE, CONCURRENCY];

export const STACK: Word = { name: "stack", help: "the stack", names: "stack" };
export const STACK_OR_ALL: Word = { name: "stack", help: "the stack; none named: all of them", names: "stack", optional: true };
export const SOME_STACKS: Word = { name: "stack", help: "the stacks", many: true, names: "stack" };
export const LOCKED_STACKS: Word = { name: "stack", help: "the locked stacks", many: true, names: "stack" };
export const STACKS: Word = { name: "stack", help: "the stacks; none named: all of them", optional: true, many: true, names: "stack" };

/** Flags of `up` and `preview`, whose stacks may be chosen by what changed. */
export const AFFECTED_FLAGS: readonly Flag[] = [
  {
    name: "affected",
    value: "RANGE",
    help: "only stacks whose inputs changed since a commit (main, main..HEAD, main...HEAD), and stacks that use their outputs where these change",
  },
  { name: "why", help: "with --affected: print for each stack which change concerns it, and by which stacks" },
];

/** Flags of `up`, `preview`, `refresh` and `destroy`. */
export const RUN_FLAGS: readonly Flag[] = [
  ...QUERY_FLAGS,
  { name: "parallel", value: "N", count: true, help: "how many resources of one stack are worked on at the same time (default 16)" },
  { name: "only", help: "only the named stacks, without the stacks that they need (destroy: without the stacks that need them)" },
  {
    name: "timeout",
    value: "MINUTES",
    count: true,
    help: "end the run after this time: no further stack starts, and running ones are cancelled (default: no limit)",
  },
  { name: "stack-timeout", value: "MINUTES", count: true, help: "cancel a stack that takes longer (default: no limit)" },
  { name: "try-once", help: "do not retry a stack that failed for a passing reason (a lock, a cut connection, too many requests)" },
  { name: "fail-fast", help: "start no further stack after the first failure" },
  { name: "markdown", value: "FILE", help: "write the text of a pull request's comment to FILE" },
  { name: "junit", value: "FILE", help: "write the run's report as JUnit's XML to FILE, a case for each stack" },
  { name: "report", value: "FILE", help: "write the run's report as JSON to FILE" },
  { name: "json", help: "print the run's events as JSON, one event a line" },
  { name: "plain", help: "print lines, without a tree that is redrawn" },
];

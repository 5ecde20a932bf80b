/** `homelab new`: parts of a homelab, in the files of the checkout. */
import { HomelabError } from "../../common/errors";
import { projectRoot } from "../../common/paths";
import { newApp } from "../../scaffold/new-app";
import { newModule } from "../../scaffold/new-module";
import { newStack, newVm } from "../../scaffold/new-parts";
import type { Arguments } from "../cli/command";
import { EXIT, type ExitCode } from "../cli/exit-codes";
import type { Session } from "../cli/session";

function needed(args: Arguments, flag: string, what: string): string {
  const value = args.text(flag);
  if (value === undefined) throw new HomelabError("E_USAGE", `--${flag} is missing: ${what}`, { hint: "see `homelab help new`" });
  return value;
}

/** @throws HomelabError E_USAGE, E_SITE, E_EXISTS */
export async function newPart(verb: string, args: Arguments, session: Session): Promise<ExitCode> {
  const [name = ""] = args.words;
  const root = projectRoot();
  const done = (files: readonly string[], next: string): ExitCode => {
    session.out(`${files.map((file) => `  ${file}`).join("\n")}\nNext: ${next}\n`);
    return EXIT.done;
  };
  if (verb === "module") {
    const chart = needed(args, "chart", "the chart's repository and name, such as https://charts.example.org/valkey");
    const files = newModule(root, { name, chart, version: needed(args, "version", "an exact version of the chart"), stack: args.text("stack") });
    return done(
      files,
      `fill in components/platform/${name}/ (CONTRIBUTING.md says what belongs where), then npx jest components/platform/${name}; node bin/stacks/platform-page.js --write and HOMELAB_TEST_RECORD_REGISTRATIONS=1 npx jest site/tests/program/registrations write the page and the record of what the stacks register`,
    );
  }
  if (verb === "app") {
    const stack = needed(args, "stack", "the stack that runs it");
    const answers = {
      name,
      stack,
      image: needed(args, "image", "with registry and tag or digest"),
      port: Number(args.text("port") ?? "8080"),
      host: args.text("host"),
    };
    return done(newApp(root, answers), `look at what was written, then npx jest site and homelab preview ${stack} --lab`);
  }
  const isStack = verb === "stack";
  const stack = isStack ? name : needed(args, "stack", "the stack that the VM is for");
  const like = needed(args, "like", isStack ? "the stack that the new one is like" : "the VM that the new one is like");
  const files = isStack ? newStack(root, name, like) : newVm(root, name, stack, like);
  return done(files, `look at what was written, then npx jest site and homelab preview ${stack} --lab`);
}

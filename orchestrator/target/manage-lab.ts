import * as fs from "node:fs";
import * as path from "node:path";
import { projectRoot } from "../../common/paths";
import { quote } from "../../common/quote";
import { type Arguments, oneOf } from "../cli/arguments";
import { EXIT, type ExitCode } from "../cli/exit-codes";
import { LAB_LATENCIES } from "../cli/flags";
import type { Session } from "../cli/session";
import { type LabFile, labStatus, requireLab, runningLab, startLab, stopLab, tellSite } from "./lab-client";
import { readLabSite } from "./program";
import { openSite } from "./site";

const describeLab = (lab: LabFile, how: string): string =>
  [
    `the lab ${how} (process ${lab.pid})`,
    `  proxy       ${lab.proxy}`,
    `  bastion     ssh://${lab.bastion.user}@${lab.bastion.host}:${lab.bastion.port}`,
    `  kubeconfig  ${lab.kubeconfig}`,
    `  CA          ${lab.caFile}`,
    "",
  ].join("\n");

/** For `eval`: what programs other than this one need to work in the lab. Its passphrase is for the lab only, and known. */
const shellEnvironment = (env: Readonly<Record<string, string>>, workDir: string): string =>
  [...Object.entries(env).map(([name, value]) => `export ${name}=${quote(value)}`), `# the stacks' settings: pulumi -C ${quote(workDir)} up -s dev`, ""].join(
    "\n",
  );

/** `lab start|stop|status|env` */
export async function manageLab(verb: string, args: Arguments, session: Session): Promise<ExitCode> {
  switch (verb) {
    case "start":
      return start(args, session);
    case "stop": {
      const lab = await runningLab();
      if (lab === undefined) {
        session.out("the lab is not running\n");
        return EXIT.done;
      }
      await stopLab(lab);
      session.out("the lab has stopped; its state is kept, `homelab lab start` goes on with it\n");
      return EXIT.done;
    }
    case "status": {
      const lab = await requireLab();
      session.out(args.flag("json") ? `${JSON.stringify(await labStatus(lab), null, 2)}\n` : describeLab(lab, `is running since ${lab.startedAt}`));
      return EXIT.done;
    }
    case "env": {
      const { env, workDir } = await openSite(true);
      session.out(args.flag("json") ? `${JSON.stringify(env, null, 2)}\n` : shellEnvironment(env, workDir));
      return EXIT.done;
    }
    default:
      throw new Error(`lab has no verb ${verb}`);
  }
}

/** Whether anything of the lab's code was compiled after this lab started. */
function codeIsNewer(lab: LabFile): boolean {
  const startedAt = Date.parse(lab.startedAt);
  return ["lab", "common"].some((folder) => {
    const root = path.join(projectRoot(), "bin", folder);
    return fs.readdirSync(root, { recursive: true, encoding: "utf8" }).some((name) => fs.statSync(path.join(root, name)).ctimeMs > startedAt);
  });
}

async function start(args: Arguments, session: Session): Promise<ExitCode> {
  const running = await runningLab();
  const latency = args.text("latency");
  const given = { proxy: args.text("proxy-port"), bastion: args.text("bastion-port"), control: args.text("control-port") };
  const ports = Object.fromEntries(Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== undefined));
  const site = await readLabSite();
  if (running !== undefined) await tellSite(running, site);
  const lab =
    running ?? (await startLab({ site, ports, ...(latency === undefined ? {} : { latency: oneOf(latency, LAB_LATENCIES, "default", "--latency") }) }));
  session.out(args.flag("json") ? `${JSON.stringify(lab, null, 2)}\n` : describeLab(lab, running ? "is running already" : "is up"));
  if (running !== undefined && codeIsNewer(running))
    session.err("note: the lab was started before its code changed; to run the new code, stop and start it (its state is kept)\n");
  return EXIT.done;
}

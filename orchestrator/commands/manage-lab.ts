import { HomelabError } from "../../common/errors";
import { type Arguments, oneOf } from "../arguments";
import { EXIT, type ExitCode } from "../exit-codes";
import { type LabFile, labStatus, requireLab, runningLab, startLab, stopLab } from "../lab-client";
import type { Session } from "../session";

export const LAB_OPTIONS = {
  "proxy-port": { type: "string" },
  "bastion-port": { type: "string" },
  "control-port": { type: "string" },
  latency: { type: "string" },
  json: { type: "boolean" },
} as const;

const describeLab = (lab: LabFile, how: string): string =>
  [
    `the lab ${how} (process ${lab.pid})`,
    `  proxy       ${lab.proxy}`,
    `  bastion     ssh://${lab.bastion.user}@${lab.bastion.host}:${lab.bastion.port}`,
    `  kubeconfig  ${lab.kubeconfig}`,
    `  CA          ${lab.caFile}`,
    "",
  ].join("\n");

/** `lab start|stop|status` */
export async function manageLab(args: Arguments, session: Session): Promise<ExitCode> {
  const [verb, ...rest] = args.words;
  if (rest.length > 0) throw new HomelabError("E_USAGE", `lab ${verb ?? ""} takes no further words`, { hint: "see `homelab help`" });
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
    default:
      throw new HomelabError("E_USAGE", `lab takes start, stop or status, not ${verb ?? "nothing"}`, { hint: "see `homelab help`" });
  }
}

async function start(args: Arguments, session: Session): Promise<ExitCode> {
  const running = await runningLab();
  const latency = args.text("latency");
  const proxyPort = args.text("proxy-port");
  const bastionPort = args.text("bastion-port");
  const controlPort = args.text("control-port");
  const lab =
    running ??
    (await startLab({
      ...(proxyPort === undefined ? {} : { proxyPort }),
      ...(bastionPort === undefined ? {} : { bastionPort }),
      ...(controlPort === undefined ? {} : { controlPort }),
      ...(latency === undefined ? {} : { latency: oneOf(latency, ["default", "zero"], "default", "--latency") }),
    }));
  session.out(args.flag("json") ? `${JSON.stringify(lab, null, 2)}\n` : describeLab(lab, running ? "is running already" : "is up"));
  return EXIT.done;
}

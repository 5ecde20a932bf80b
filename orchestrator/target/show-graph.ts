import { type Arguments, oneOf } from "../cli/arguments";
import { EXIT, type ExitCode } from "../cli/exit-codes";
import { GRAPH_FORMATS } from "../cli/flags";
import type { Session } from "../cli/session";
import { renderGraph } from "./graph";
import { describeProgram } from "./program";

/** Prints the graph of the stacks. */
export async function showGraph(args: Arguments, session: Session): Promise<ExitCode> {
  const format = oneOf(args.text("format"), GRAPH_FORMATS, "mermaid", "--format");
  const { graph } = await describeProgram();
  session.out(`${renderGraph(graph, format)}\n`);
  return EXIT.done;
}

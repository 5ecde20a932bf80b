import { type Arguments, oneOf } from "../arguments";
import { EXIT, type ExitCode } from "../exit-codes";
import { renderGraph } from "../graph";
import { describeProgram } from "../program";
import type { Session } from "../session";

export const GRAPH_OPTIONS = { format: { type: "string" } } as const;

/** Prints the graph of the stacks. */
export async function showGraph(args: Arguments, session: Session): Promise<ExitCode> {
  const format = oneOf(args.text("format"), ["mermaid", "dot", "json"], "mermaid", "--format");
  const { graph } = await describeProgram();
  session.out(`${renderGraph(graph, format)}\n`);
  return EXIT.done;
}

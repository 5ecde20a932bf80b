import { type Arguments, oneOf } from "../cli/arguments";
import { EXIT, type ExitCode } from "../cli/exit-codes";
import type { Session } from "../cli/session";
import { renderGraph } from "../target/graph";
import { describeProgram } from "../target/program";

export const GRAPH_OPTIONS = { format: { type: "string" } } as const;

/** Prints the graph of the stacks. */
export async function showGraph(args: Arguments, session: Session): Promise<ExitCode> {
  const format = oneOf(args.text("format"), ["mermaid", "dot", "json"], "mermaid", "--format");
  const { graph } = await describeProgram();
  session.out(`${renderGraph(graph, format)}\n`);
  return EXIT.done;
}

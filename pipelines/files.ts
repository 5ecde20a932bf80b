/** All files that the description makes, by path below the checkout. */
import { renderWorkflow } from "./github";
import { renderGitlab } from "./gitlab";
import { WORKFLOWS } from "./workflows";

export function renderAll(): Record<string, string> {
  const workflows = WORKFLOWS.map((workflow) => [`.github/workflows/${workflow.file}`, renderWorkflow(workflow)] as const);
  return { ...Object.fromEntries(workflows), ...renderGitlab() };
}

/** The graph of the stacks as a drawing. The layout is dagre's. */
import { Graph, layout } from "@dagrejs/dagre";
import type { RunReport } from "../report-schema";
import { escapeHtml, wide } from "./html";

const BOX = { width: 150, height: 44 };

/** Needs that no other need already implies. */
function reduced(needs: ReadonlyMap<string, readonly string[]>, stack: string): string[] {
  const reach = (from: string, seen = new Set<string>()): Set<string> => {
    for (const need of needs.get(from) ?? []) {
      if (seen.has(need)) continue;
      seen.add(need);
      reach(need, seen);
    }
    return seen;
  };
  const own = needs.get(stack) ?? [];
  return own.filter((need) => needs.has(need) && !own.some((other) => other !== need && reach(other).has(need)));
}

/** @param critical stacks of the critical path. @returns "" for a report without an estate */
export function stackGraph({ estate, stacks }: RunReport, critical: ReadonlySet<string>): string {
  if (estate === undefined) return "";
  const needs = new Map(estate.stacks.map(({ stack, needs: all }) => [stack, all]));
  const graph = new Graph().setGraph({ rankdir: "LR", nodesep: 18, ranksep: 50, marginx: 8, marginy: 8 }).setDefaultEdgeLabel(() => ({}));
  for (const { stack } of estate.stacks) graph.setNode(stack, { ...BOX });
  for (const { stack } of estate.stacks) for (const need of reduced(needs, stack)) graph.setEdge(need, stack);
  layout(graph);
  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number };
  const edges = graph.edges().map(({ v, w }) => {
    const { points } = graph.edge(v, w) as { points: { x: number; y: number }[] };
    const path = points.map(({ x, y }, i) => `${i === 0 ? "M" : "L"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
    return `<path class="${critical.has(v) && critical.has(w) ? "critical" : ""}" d="${path}"/>`;
  });
  const boxes = estate.stacks.map(({ stack }) => {
    const { x, y } = graph.node(stack) as { x: number; y: number };
    const status = stacks.find((one) => one.stack === stack)?.status ?? "not in this run";
    const isRun = status !== "not in this run";
    return `<g class="${isRun ? status : ""}${critical.has(stack) ? " critical" : ""}" transform="translate(${(x - BOX.width / 2).toFixed(1)} ${(y - BOX.height / 2).toFixed(1)})"><rect width="${BOX.width}" height="${BOX.height}" rx="6"/><text x="10" y="19">${escapeHtml(stack)}</text><text x="10" y="36">${escapeHtml(status)}</text></g>`;
  });
  const text = estate.stacks.map(({ stack, needs: all }) => `${stack} needs ${all.join(", ") || "nothing"}`).join("; ");
  return wide(
    "picture of the graph",
    `<svg role="img" viewBox="0 0 ${Math.ceil(width)} ${Math.ceil(height)}" width="${Math.ceil(width)}" height="${Math.ceil(height)}"><title>${escapeHtml(text)}</title>${edges.join("")}${boxes.join("")}</svg>`,
  );
}

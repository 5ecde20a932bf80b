/** `homelab charts verify`. */
import { asError, describeError } from "../../common/errors";
import type { Arguments } from "../cli/arguments";
import { EXIT, type ExitCode } from "../cli/exit-codes";
import type { Session } from "../cli/session";
import { readChartArchive } from "./chart-archive";
import { ChartSources } from "./chart-source";
import { chartDataOf } from "./known-values";
import { helmExecutable, renderChart } from "./render-chart";
import { type Taken, takenFromElsewhere } from "./taken";
import { type ChartUse, type Finding, findingsOfManifests, findingsOfValues, imagesIn, manifestsOf } from "./verify-chart";

export interface VerifiedChart {
  readonly chart: string;
  readonly version: string;
  readonly stack: string;
  readonly release: string;
  readonly images: readonly { readonly image: string; readonly digest?: string; readonly problem?: string }[];
  readonly findings: readonly Finding[];
  /** Why it could not be verified. */
  readonly failure?: string;
}

interface Tools {
  readonly sources: ChartSources;
  /** undefined: only values are checked, and nothing is rendered. */
  readonly helm: string | undefined;
}

async function imagesOf(manifests: readonly unknown[], sources: ChartSources): Promise<VerifiedChart["images"]> {
  const found: { image: string; digest?: string; problem?: string }[] = [];
  for (const image of imagesIn(manifests)) {
    try {
      found.push({ image, digest: await sources.imageDigest(image) });
    } catch (thrown) {
      found.push({ image, problem: describeError(asError(thrown)) });
    }
  }
  return found;
}

/** One release: its chart is pulled, its values are compared with the chart, and the rendered manifests are checked. */
export async function verifyChart(use: ChartUse, known: Taken["knownCredentials"], { sources, helm }: Tools): Promise<VerifiedChart> {
  const { chart, version, stack, release, repository } = use;
  const base = { chart, version, stack, release };
  try {
    const archive = await sources.pull(repository, chart, version);
    const findings = findingsOfValues(use, chartDataOf(readChartArchive(archive, `${chart} ${version}`)));
    if (helm === undefined) return { ...base, images: [], findings };
    const manifests = manifestsOf(await renderChart(helm, archive, use));
    return { ...base, images: await imagesOf(manifests, sources), findings: [...findings, ...findingsOfManifests(manifests, known)] };
  } catch (thrown) {
    return { ...base, images: [], findings: [], failure: describeError(asError(thrown)) };
  }
}

export function verifiedText({ chart, version, stack, release, images, findings, failure }: VerifiedChart): string {
  const lines = [
    `${chart} ${version} (${stack}, release ${release})`,
    ...(failure === undefined ? [] : [`  failed: ${failure.replaceAll("\n", "\n  ")}`]),
    ...findings.map(({ text }) => `  ${text}`),
    ...images.map(({ image, digest, problem }) => `  image ${image}${digest === undefined ? `: ${problem ?? ""}` : ` ${digest}`}`),
  ];
  return `${lines.join("\n")}\n`;
}

/** 1 where a chart or one of its images could not be checked, even if there are findings; else 3 where there are findings. */
export function verifiedExitCode(all: readonly Pick<VerifiedChart, "failure" | "images" | "findings">[]): ExitCode {
  if (all.some(({ failure, images }) => failure !== undefined || images.some(({ problem }) => problem !== undefined))) return EXIT.failed;
  return all.some(({ findings }) => findings.length > 0) ? EXIT.changes : EXIT.done;
}

/** @returns as {@link verifiedExitCode} */
export async function manageCharts(args: Arguments, session: Session, sources = new ChartSources()): Promise<ExitCode> {
  const [stack] = args.words;
  // First: a name that is mistyped is told on a machine without helm as well.
  const { charts, knownCredentials } = await takenFromElsewhere(stack);
  const helm = args.flag("values-only") ? undefined : helmExecutable();
  const all: VerifiedChart[] = [];
  for (const use of charts) {
    const verified = await verifyChart(use, knownCredentials, { sources, helm });
    all.push(verified);
    if (!args.flag("json")) session.out(verifiedText(verified));
  }
  if (args.flag("json")) session.out(`${JSON.stringify({ version: 1, charts: all }, null, 2)}\n`);
  return verifiedExitCode(all);
}

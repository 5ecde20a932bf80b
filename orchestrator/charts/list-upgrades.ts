/** `homelab upgrades`: what is pinned and has newer versions. */
import { asError, describeError } from "../../common/errors";
import type { Arguments } from "../cli/arguments";
import { EXIT, type ExitCode } from "../cli/exit-codes";
import type { Session } from "../cli/session";
import { ChartSources } from "./chart-source";
import { imageOf } from "./image-reference";
import { type Newer, newerThan, sameForm } from "./newer-versions";
import { type Taken, takenFromElsewhere } from "./taken";

export interface Pin {
  readonly kind: "chart" | "image";
  readonly name: string;
  readonly pinned: string;
  readonly modules: readonly string[];
  readonly stacks: readonly string[];
  readonly newer?: Newer;
  /** Why its versions could not be listed. */
  readonly failure?: string;
}

interface Wanted extends Omit<Pin, "newer" | "failure"> {
  look(sources: ChartSources): Promise<Newer | undefined>;
}

const unique = (names: readonly string[]): string[] => [...new Set(names)].toSorted();

function grouped<T extends { readonly stack: string; readonly module: string; readonly upgrades?: unknown }>(
  uses: readonly T[],
  key: (use: T) => string,
): (T & Pick<Pin, "modules" | "stacks">)[] {
  const groups = new Map<string, T[]>();
  for (const use of uses) groups.set(key(use), [...(groups.get(key(use)) ?? []), use]);
  return [...groups.values()].flatMap((same) => {
    const [first] = same;
    return first === undefined
      ? []
      : [
          {
            ...first,
            upgrades: same.find(({ upgrades }) => upgrades !== undefined)?.upgrades,
            modules: unique(same.map(({ module }) => module)),
            stacks: unique(same.map(({ stack }) => stack)),
          },
        ];
  });
}

/** Pins, each once. */
export function pinsOf({ charts, images }: Pick<Taken, "charts" | "images">): Wanted[] {
  return [
    ...grouped(charts, ({ repository, chart, version }) => `${repository} ${chart} ${version}`).map(
      ({ repository, chart, version, modules, stacks, upgrades }): Wanted => ({
        ...{ kind: "chart", name: chart, pinned: version, modules, stacks },
        look: async (sources) => newerThan(version, await sources.versions(repository, chart), upgrades),
      }),
    ),
    ...grouped(images, ({ image }) => image).flatMap(({ image, modules, stacks, upgrades }): Wanted[] => {
      const { registry, repository, tag } = imageOf(image);
      if (tag === undefined) return [];
      const look = async (sources: ChartSources): Promise<Newer | undefined> => {
        const alike = sameForm(tag, await sources.imageTags(image));
        if (alike === undefined) return undefined;
        const newer = newerThan(alike.pinned, [...alike.versions.keys()], upgrades);
        const tagOf = (version: string): string => alike.versions.get(version) ?? version;
        return newer && { ...newer, newest: tagOf(newer.newest), ...(newer.next === undefined ? {} : { next: tagOf(newer.next) }) };
      };
      return [{ kind: "image", name: `${registry}/${repository}`, pinned: tag, modules, stacks, look }];
    }),
  ];
}

export function pinText({ name, pinned, newer, failure, modules }: Pin): string {
  if (failure !== undefined) return `${name} ${pinned}: not known: ${failure.split("\n")[0]}\n`;
  if (newer === undefined) return "";
  const step = newer.next === undefined ? "" : `; first ${newer.next}: ${newer.why ?? ""}`;
  return `${name} ${pinned} → ${newer.newest}${step} (${modules.join(", ")})\n`;
}

/** 3 where something has a newer version; else 1 where the versions of something could not be listed. */
export function upgradesExitCode(pins: readonly Pick<Pin, "newer" | "failure">[]): ExitCode {
  if (pins.some(({ newer }) => newer !== undefined)) return EXIT.changes;
  return pins.some(({ failure }) => failure !== undefined) ? EXIT.failed : EXIT.done;
}

/** @returns as {@link upgradesExitCode} */
export async function listUpgrades(args: Arguments, session: Session, sources = new ChartSources()): Promise<ExitCode> {
  const [stack] = args.words;
  const found: Pin[] = [];
  for (const { look, ...pin } of pinsOf(await takenFromElsewhere(stack))) {
    const told = await look(sources).then(
      (newer): Pin => (newer === undefined ? pin : { ...pin, newer }),
      (thrown: unknown): Pin => ({ ...pin, failure: describeError(asError(thrown)) }),
    );
    found.push(told);
    if (!args.flag("json")) session.out(pinText(told));
  }
  if (args.flag("json")) session.out(`${JSON.stringify({ version: 1, pins: found }, null, 2)}\n`);
  return upgradesExitCode(found);
}

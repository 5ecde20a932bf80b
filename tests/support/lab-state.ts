/** A stack's state in the lab of a rehearsal, exported and imported by the engine's own commands. */
import * as fs from "node:fs";
import * as path from "node:path";
import type { Rehearsal } from "./rehearsal";

export interface StateResource {
  urn: string;
  id?: string;
  type: string;
  custom?: boolean;
  inputs?: Record<string, unknown>;
  outputs?: Record<string, unknown>;
  parent?: string;
  provider?: string;
  dependencies?: string[];
  propertyDependencies?: Record<string, string[]>;
}

export interface Exported {
  deployment: { resources: StateResource[]; pending_operations?: { resource: Omit<StateResource, "id">; type: string }[] };
}

/** The URNs that a resource refers to. */
const needsOf = ({ parent, dependencies = [], propertyDependencies = {} }: StateResource): string[] => [
  ...(parent === undefined ? [] : [parent]),
  ...dependencies,
  ...Object.values(propertyDependencies).flat(),
];

/** @returns the URNs of the roots and of all their dependents */
export function withDependents(resources: readonly StateResource[], roots: readonly string[]): Set<string> {
  const found = new Set(roots);
  // A state lists a resource after those that it depends on.
  for (const resource of resources) if (needsOf(resource).some((urn) => found.has(urn))) found.add(resource.urn);
  return found;
}

export class LabState {
  constructor(
    private readonly rehearsal: Rehearsal,
    private readonly stack: string,
  ) {}

  async #engine(command: string): Promise<string> {
    const workDir = path.join(this.rehearsal.dir, "work");
    const { code, out, err } = await this.rehearsal.shell(
      `eval "$(node orchestrator/bin/homelab lab env)" && engine/bin/pulumi -C '${workDir}' ${command} --stack ${this.stack} --non-interactive`,
    );
    if (code !== 0) throw new Error(`${command}: ${err}`);
    return out;
  }

  async read(): Promise<Exported> {
    return JSON.parse(await this.#engine("stack export")) as Exported;
  }

  async write(state: Exported): Promise<void> {
    const file = path.join(this.rehearsal.dir, "state-to-import.json");
    fs.writeFileSync(file, JSON.stringify(state));
    await this.#engine(`stack import --file '${file}'`);
  }

  async resources(): Promise<StateResource[]> {
    return (await this.read()).deployment.resources;
  }
}

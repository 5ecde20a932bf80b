import * as fs from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { readEnv } from "../../common/env";
import { projectRoot } from "../../common/paths";
import type { Site } from "./site";

const projectSchema = z.looseObject({ backend: z.looseObject({ url: z.string().optional() }).nullish() });

/** URL of the states' backend, as the engine finds it: the environment, then the project's file. */
export function configuredBackend(): string | undefined {
  const { backend } = projectSchema.parse(parse(fs.readFileSync(path.join(projectRoot(), "Pulumi.yaml"), "utf8")));
  return readEnv("PULUMI_BACKEND_URL") ?? backend?.url;
}

/** Where the states of a site are: the lab says it itself. */
export const backendOf = ({ env }: Pick<Site, "env">): string | undefined => env["PULUMI_BACKEND_URL"] ?? configuredBackend();

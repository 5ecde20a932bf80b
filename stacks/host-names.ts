/**
 * Names of each stack's routes, without the domain. Pi-hole keeps no owners of records, so this table says who may write and
 * delete which: each name stands once. A name whose route is taken away stays here until every homelab has run without the
 * route, so that its record goes too. A test holds the table against the routes that the stacks register.
 */
import type { StackName } from "./outputs";

export const HOST_NAMES: Readonly<Record<StackName, readonly string[]>> = {
  tools: ["minio", "s3", "vault"],
  observability: ["jaeger", "otel-collector"],
  home: [],
  sandboxy: ["whoami"],
  dev: ["dev.ascii"],
  stg: ["stg.ascii"],
  prod: ["ascii"],
};

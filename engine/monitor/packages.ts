/** The packages that a program has named: by reference, or by name, version and place of the plugin in each request. */
import { randomUUID } from "node:crypto";
import * as pb from "@pulumi/pulumi/proto/resource_pb.js";
import { DeploymentError } from "../errors";
import { packageOf } from "../wire/urn";
import type { PackageWish } from "./providers";

export class Packages {
  readonly #known = new Map<string, PackageWish>();

  /** The package of a type or function. */
  wish(token: string, request: { getVersion(): string; getPlugindownloadurl(): string; getPackageref(): string }): PackageWish {
    const known = this.#known.get(request.getPackageref());
    return known ?? { name: packageOf(token), version: request.getVersion(), url: request.getPlugindownloadurl() };
  }

  /** @throws DeploymentError where it is parameterized */
  register(request: pb.RegisterPackageRequest): pb.RegisterPackageResponse {
    if (request.hasParameterization())
      throw new DeploymentError(`package ${request.getName()} is parameterized, which the embedded engine does not support; the Pulumi CLI has it`);
    const wish = { name: request.getName(), version: request.getVersion(), url: request.getDownloadUrl() };
    const known = [...this.#known].find(([, other]) => other.name === wish.name && other.version === wish.version && other.url === wish.url);
    const ref = known?.[0] ?? randomUUID();
    this.#known.set(ref, wish);
    const reply = new pb.RegisterPackageResponse();
    reply.setRef(ref);
    return reply;
  }
}

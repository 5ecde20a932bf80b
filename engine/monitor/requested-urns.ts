/**
 * URNs and provider references as a program tells them. What is none is told to the program, in the CLI's words (3.260), and is no
 * failure of the run: a program that catches it goes on.
 */
import * as grpc from "@grpc/grpc-js";
import type * as pb from "@pulumi/pulumi/proto/resource_pb.js";
import { isProviderType, isUrn, urnType } from "../wire/urn";

/** A request that cannot be meant; the program that made it is told. */
export class BadRequest extends Error {
  constructor(
    message: string,
    readonly code: grpc.status = grpc.status.INVALID_ARGUMENT,
  ) {
    super(message);
    this.name = "BadRequest";
  }
}

function needUrn(urn: string, what: string, code?: grpc.status): void {
  if (isUrn(urn)) return;
  throw new BadRequest(`invalid ${what} URN: ${urn === "" ? "missing required URN" : `invalid URN ${JSON.stringify(urn)}`}`, code);
}

function needUrns(urns: readonly string[], what: string): void {
  for (const urn of urns) needUrn(urn, what);
}

function needUrnIfAny(urn: string, what: string): void {
  if (urn !== "") needUrn(urn, what);
}

/** @param reference "": none, which is right */
export function needReference(reference: string): void {
  if (reference === "") return;
  const at = reference.lastIndexOf("::");
  const urn = reference.slice(0, at);
  const wrong = at < 0 ? `expected '::' in provider reference '${reference}'` : !isUrn(urn) || !isProviderType(urnType(urn)) ? `${urn} is no provider` : "";
  if (wrong !== "") throw new BadRequest(`could not parse provider reference: ${wrong}`, grpc.status.UNKNOWN);
}

/** Before anything is made of a registration, and again when transforms have had it. */
export function needRegistrationUrns(request: pb.RegisterResourceRequest): void {
  needUrnIfAny(request.getParent(), "parent");
  needUrns(request.getDependenciesList(), "dependency");
  request.getPropertydependenciesMap().forEach((needed: pb.RegisterResourceRequest.PropertyDependencies, key: string) => {
    needUrns(needed.getUrnsList(), `dependency on property ${key}`);
  });
  needUrns(request.getAliasurnsList(), "alias");
  for (const alias of request.getAliasesList()) {
    const spec = alias.getSpec();
    if (spec === undefined) needUrn(alias.getUrn(), "alias");
    else needUrnIfAny(spec.getParenturn(), "parent alias");
  }
  needUrnIfAny(request.getDeletedwith(), "DeletedWith");
  needUrns(request.getReplaceWithList(), "ReplaceWith");
  needReference(request.getProvider());
  request.getProvidersMap().forEach((reference: string) => {
    needReference(reference);
  });
}

export function needReadUrns(request: pb.ReadResourceRequest): void {
  needUrnIfAny(request.getParent(), "parent");
  needUrns(request.getDependenciesList(), "dependency");
  needReference(request.getProvider());
}

export const needOutputsUrn = (request: pb.RegisterResourceOutputsRequest): void => needUrn(request.getUrn(), "resource", grpc.status.UNKNOWN);

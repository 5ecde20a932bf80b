/**
 * URNs and provider references that a program sends. A malformed one is answered with an error in the CLI's words (3.260). The run itself
 * does not fail: a program that catches the error goes on.
 */
import type * as pb from "@pulumi/pulumi/proto/resource_pb.js";
import { STATUS } from "../../common/grpc/messages";
import { isProviderType, isUrn, PROVIDER_PREFIX, urnType } from "../wire/urn";

/** A request that is not valid; the program gets the error. */
export class BadRequest extends Error {
  constructor(
    message: string,
    readonly code: number = STATUS.INVALID_ARGUMENT,
  ) {
    super(message);
    this.name = "BadRequest";
  }
}

function needUrn(urn: string, what: string, code?: number): void {
  if (isUrn(urn)) return;
  throw new BadRequest(`invalid ${what}: ${urn === "" ? "missing required URN" : `invalid URN ${JSON.stringify(urn)}`}`, code);
}

function needUrns(urns: readonly string[], what: string): void {
  for (const urn of urns) needUrn(urn, what);
}

function needUrnIfAny(urn: string, what: string): void {
  if (urn !== "") needUrn(urn, what);
}

/** Why a reference is malformed; "" where it is not. */
function wrongReference(reference: string): string {
  const at = reference.lastIndexOf("::");
  if (at < 0) return `expected '::' in provider reference '${reference}'`;
  const urn = reference.slice(0, at);
  if (!isUrn(urn)) return `${urn} is not a valid URN`;
  const type = urnType(urn);
  if (type === PROVIDER_PREFIX) return "provider URNs must specify a type name";
  const module = type.slice(0, Math.max(0, type.lastIndexOf(":")));
  return isProviderType(type) ? "" : `invalid module in type: expected 'pulumi:providers', got '${module}'`;
}

/** @param reference "" means none, which is valid */
export function needReference(reference: string): void {
  const wrong = reference === "" ? "" : wrongReference(reference);
  if (wrong !== "") throw new BadRequest(`could not parse provider reference: ${wrong}`, STATUS.UNKNOWN);
}

/** Checks a registration before it is used, and again after its transforms. */
export function needRegistrationUrns(request: pb.RegisterResourceRequest): void {
  needUrnIfAny(request.getParent(), "parent URN");
  needUrns(request.getDependenciesList(), "dependency URN");
  request.getPropertydependenciesMap().forEach((needed: pb.RegisterResourceRequest.PropertyDependencies, key: string) => {
    needUrns(needed.getUrnsList(), `dependency on property ${key} URN`);
  });
  needUrns(request.getAliasurnsList(), "alias URN");
  for (const alias of request.getAliasesList()) {
    const spec = alias.getSpec();
    if (spec === undefined) needUrn(alias.getUrn(), "alias URN");
    else needUrnIfAny(spec.getParenturn(), "parent alias URN");
  }
  needUrnIfAny(request.getDeletedwith(), "DeletedWith URN");
  needUrns(request.getReplaceWithList(), "ReplaceWith URN");
  needReference(request.getProvider());
  request.getProvidersMap().forEach((reference: string) => {
    needReference(reference);
  });
}

export function needReadUrns(request: pb.ReadResourceRequest): void {
  needUrnIfAny(request.getParent(), "parent URN");
  // The CLI's message for a read names no more than this.
  needUrns(request.getDependenciesList(), "dependency");
  needReference(request.getProvider());
}

export const needOutputsUrn = (request: pb.RegisterResourceOutputsRequest): void => needUrn(request.getUrn(), "resource URN", STATUS.UNKNOWN);

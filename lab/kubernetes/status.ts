/** Failures as a Kubernetes API server answers them. */
export interface StatusCause {
  reason: string;
  message: string;
  field: string;
}

export interface StatusDetails {
  name?: string;
  group?: string;
  kind?: string;
  uid?: string;
  causes?: StatusCause[];
}

export class StatusError extends Error {
  constructor(
    readonly code: number,
    readonly reason: string,
    message: string,
    readonly details?: StatusDetails,
  ) {
    super(message);
    this.name = "StatusError";
  }

  body(): Record<string, unknown> {
    return {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message: this.message,
      ...(this.reason === "" ? {} : { reason: this.reason }),
      ...(this.details === undefined ? {} : { details: this.details }),
      code: this.code,
    };
  }
}

interface Named {
  group: string;
  plural: string;
}

/** `deployments.apps`, `configmaps` */
export const qualified = ({ group, plural }: Named): string => (group === "" ? plural : `${plural}.${group}`);
const details = ({ group, plural }: Named, name: string): StatusDetails => ({ name, ...(group === "" ? {} : { group }), kind: plural });

export const notFound = (type: Named, name: string): StatusError =>
  new StatusError(404, "NotFound", `${qualified(type)} "${name}" not found`, details(type, name));
export const alreadyExists = (type: Named, name: string): StatusError =>
  new StatusError(409, "AlreadyExists", `${qualified(type)} "${name}" already exists`, details(type, name));
export const conflict = (type: Named, name: string): StatusError =>
  new StatusError(
    409,
    "Conflict",
    `Operation cannot be fulfilled on ${qualified(type)} "${name}": the object has been modified; please apply your changes to the latest version and try again`,
    details(type, name),
  );
export const badRequest = (message: string): StatusError => new StatusError(400, "BadRequest", message);
export const forbidden = (message: string, detail: StatusDetails): StatusError => new StatusError(403, "Forbidden", message, detail);
/** No such group, version or resource. */
export const noResource = (): StatusError => new StatusError(404, "NotFound", "the server could not find the requested resource", {});
export const methodNotAllowed = (): StatusError =>
  new StatusError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {});

/** One or several invalid fields of an object. */
export function invalid(kind: string, group: string, name: string, causes: readonly StatusCause[]): StatusError {
  const texts = causes.map(({ field, message }) => `${field}: ${message}`);
  const what = group === "" ? kind : `${kind}.${group}`;
  const all = texts.length === 1 ? texts[0] : `[${texts.join(", ")}]`;
  return new StatusError(422, "Invalid", `${what} "${name}" is invalid: ${all}`, {
    ...(name === "" ? {} : { name }),
    ...(group === "" ? {} : { group }),
    kind,
    causes: [...causes],
  });
}

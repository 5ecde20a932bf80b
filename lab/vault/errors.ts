/** An answer that is no success, as Vault gives it. */
export class VaultError extends Error {
  constructor(
    readonly status: number,
    message?: string,
    /** The whole body where it has no `errors`: Vault answers some "not found" with data. */
    readonly extra?: Record<string, unknown>,
  ) {
    super(message ?? "");
    this.name = "VaultError";
  }

  body(): Record<string, unknown> {
    return this.extra ?? { errors: this.message === "" ? [] : [this.message] };
  }
}

/** The token's policies do not allow it. */
export const denied = (): VaultError => new VaultError(403, "1 error occurred:\n\t* permission denied\n\n");
/** No token. */
export const noToken = (): VaultError => new VaultError(403, "permission denied");
/** A token that Vault does not know, or no more. */
export const unknownToken = (): VaultError => new VaultError(403, "2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n");
export const notFound = (): VaultError => new VaultError(404);
export const badRequest = (message: string): VaultError => new VaultError(400, message);
/** The engine or the system has no such path. */
export const unsupportedPath = (): VaultError => new VaultError(404, "1 error occurred:\n\t* unsupported path\n\n");
export const unsupported = (): VaultError => new VaultError(405, "1 error occurred:\n\t* unsupported operation\n\n");

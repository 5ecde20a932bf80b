/** An answer that is no success, as Vault gives it. */
export class VaultError extends Error {
  constructor(
    readonly status: number,
    message?: string,
    /** Fields beside `errors`: Vault answers some "not found" with data. */
    readonly extra?: Record<string, unknown>,
  ) {
    super(message ?? "");
    this.name = "VaultError";
  }

  body(): Record<string, unknown> {
    return this.extra ?? { errors: this.message === "" ? [] : [this.message] };
  }
}

export const denied = (): VaultError => new VaultError(403, "permission denied");

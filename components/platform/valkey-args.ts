/**
 * Starts a container of the image valkey with the password in its environment, `PASSWORD`. As an argument, everybody who may list the
 * machine's processes could read it. With `-` as its last argument, Valkey reads more configuration from its standard input
 * (https://valkey.io/topics/valkey.conf/).
 */

/** `\` and `"` are escaped as a quoted text of valkey.conf wants it. */
const START = ['exec valkey-server "$@" - <<CONF', `requirepass "$(printf %s "$PASSWORD" | sed 's/[\\"]/\\\\&/g')"`, "CONF"].join("\n");

/** @param options of valkey-server, without its password @returns the container's arguments */
export const valkeyArgs = (...options: readonly string[]): string[] => ["sh", "-c", START, "valkey", ...options];

/** The `connection` input of command:remote:* resources: shape and defaults as the official provider's (pulumi-command 1.2). */
import { z } from "zod";
import { isValues, type Values } from "../sdk/values";

const endpoint = {
  host: z.string(),
  port: z.number().int().min(1).max(65535).optional(),
  user: z.string().optional(),
  password: z.string().optional(),
  privateKey: z.string().optional(),
  privateKeyPassword: z.string().optional(),
  agentSocketPath: z.string().optional(),
  /** How many failed dials are followed by another attempt; -1: any number. */
  dialErrorLimit: z.number().int().min(-1).optional(),
  /** Seconds; 0: no limit. */
  perDialTimeout: z.number().int().min(0).optional(),
  /** The server's key as in known_hosts (`ssh-ed25519 AAAA…`); any key is accepted without it. */
  hostKey: z.string().optional(),
};
const proxySchema = z.strictObject(endpoint);
export const connectionSchema = z.strictObject({ ...endpoint, proxy: proxySchema.optional() });

export type Endpoint = z.infer<typeof proxySchema>;
export type Connection = z.infer<typeof connectionSchema>;

export const DEFAULTS = { port: 22, user: "root", dialErrorLimit: 10, perDialTimeout: 15 } as const;

const SECRET_FIELDS = ["password", "privateKey", "privateKeyPassword"];

/**
 * What the official provider marks as secret: all of it, and within it the keys. It compares the marks too, so without the inner
 * ones it would find every connection in our states changed.
 */
export const CONNECTION_SECRETS = ["connection", ...SECRET_FIELDS.flatMap((field) => [`connection.${field}`, `connection.proxy.${field}`])];

const withDefaults = (endpoint: Values): Values => {
  const filled = Object.entries(DEFAULTS).filter(([key]) => endpoint[key] === undefined || endpoint[key] === null);
  return { ...endpoint, ...Object.fromEntries(filled) };
};

/** The connection with defaults, the proxy's included; anything else than an object is left to the validation. */
export function fillConnection(inputs: Values): Values {
  const { connection } = inputs;
  if (!isValues(connection)) return inputs;
  const { proxy } = connection;
  return { ...inputs, connection: withDefaults(isValues(proxy) ? { ...connection, proxy: withDefaults(proxy) } : connection) };
}

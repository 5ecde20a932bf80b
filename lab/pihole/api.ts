/**
 * The HTTP API of Pi-hole 6 as far as the lab models it: login and sessions, reading of lists, single items of lists, which are
 * read-only where the environment set them. Source of what is answered: pi-hole/FTL, src/api/{auth,config}.c of 2025.
 */
import type { IncomingMessage } from "node:http";
import { z } from "zod";
import { itemProblem, LISTS, type ListName, type PiholeConfig } from "./config";
import type { Session, Sessions } from "./sessions";

export interface Reply {
  status: number;
  /** undefined: an empty body, as for 204. */
  body?: Record<string, unknown>;
}

export interface PiholeState {
  config: PiholeConfig;
  sessions: Sessions;
  /** Keeps the settings and takes up the new records. */
  changed(action: string): Promise<void>;
  /** A call that the lab does not model. */
  unhandled(what: string): void;
}

interface Request {
  method: string;
  /** Decoded parts of the path below `/api`. */
  path: string[];
  query: URLSearchParams;
  headers: IncomingMessage["headers"];
  body: string;
}

const failure = (status: number, key: string, message: string, hint: string | null = null): Reply => ({ status, body: { error: { key, message, hint } } });

interface Route {
  method: string;
  /** How many parts of the path follow `head`. */
  matches(path: readonly string[]): boolean;
  /** Names of the query that the lab models here, beside `sid`. */
  query: readonly string[];
  /** Fields of the JSON body that the lab models here. */
  fields: readonly string[];
  open?: true;
  answer(state: PiholeState, request: Request, session: Session | undefined): Promise<Reply> | Reply;
}

const listOf = (path: readonly string[]): ListName | undefined => LISTS.find((list) => list === path.slice(1, 3).join("."));

function sessionReply(state: PiholeState, session: Session | undefined, status = 200, message: string | null = null): Reply {
  if (state.config.password === "") return { status, body: { session: { valid: true, totp: false, sid: null, validity: -1, message } } };
  if (session === undefined) return { status: 401, body: { session: { valid: false, totp: false, sid: null, validity: -1, message } } };
  return {
    status,
    body: { session: { valid: true, totp: false, sid: session.sid, csrf: session.csrf, validity: state.sessions.validity(session), message } },
  };
}

function login(state: PiholeState, { body }: Request): Reply {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return failure(400, "bad_request", "Invalid request body data (no valid JSON)");
  }
  const password = z.object({ password: z.unknown() }).safeParse(parsed).data?.password;
  if (password === undefined) return failure(400, "bad_request", "No password found in JSON payload");
  if (typeof password !== "string") return failure(400, "bad_request", "Field password has to be of type 'string'");
  if (state.config.password === "") return sessionReply(state, undefined, 200, "no password set");
  if (state.config.password === undefined || password !== state.config.password) return sessionReply(state, undefined, 401, "password incorrect");
  const session = state.sessions.open();
  if (session === undefined) return failure(429, "api_seats_exceeded", "API seats exceeded", "increase webserver.api.max_sessions");
  return sessionReply(state, session, 200, "password correct");
}

function logout(state: PiholeState, session: Session | undefined): Reply {
  if (session === undefined) return sessionReply(state, undefined);
  state.sessions.close(session);
  return { status: 204 };
}

function readList(state: PiholeState, { path }: Request): Reply {
  const list = listOf(path);
  if (list === undefined) return { status: 404, body: {} };
  return { status: 200, body: { config: { dns: { [list.slice("dns.".length)]: [...state.config.lists[list]] } } } };
}

async function changeItem(state: PiholeState, { method, path }: Request): Promise<Reply> {
  const list = listOf(path);
  const item = path[3] ?? "";
  if (list === undefined) return { status: 404, body: {} };
  if (state.config.readOnly.has(list)) return failure(400, "bad_request", "Config items set via environment variables cannot be changed via the API", list);
  const items = state.config.lists[list];
  const known = items.includes(item);
  if (method === "DELETE") {
    if (!known) return { status: 404, body: {} };
    state.config.lists[list] = items.filter((each) => each !== item);
    await state.changed(`remove ${list} ${item}`);
    return { status: 204 };
  }
  if (known) return failure(400, "bad_request", "Item already present", "Uniqueness of items is enforced");
  const problem = itemProblem(list, item);
  if (problem !== undefined) return failure(400, "bad_request", "Invalid value", problem);
  state.config.lists[list] = [...items, item];
  await state.changed(`add ${list} ${item}`);
  return { status: 201, body: {} };
}

const isAuth = (path: readonly string[]): boolean => path.length === 1 && path[0] === "auth";
const isItem = (path: readonly string[]): boolean => path.length === 4 && path[0] === "config" && listOf(path) !== undefined;

/** Every call that the lab models, with its parameters: what is not listed is refused. */
export const ROUTES: readonly Route[] = [
  { method: "POST", matches: isAuth, query: [], fields: ["password"], open: true, answer: login },
  { method: "GET", matches: isAuth, query: [], fields: [], open: true, answer: (state, _, session) => sessionReply(state, session) },
  { method: "DELETE", matches: isAuth, query: [], fields: [], open: true, answer: (state, _, session) => logout(state, session) },
  { method: "GET", matches: (path) => path.length === 3 && path[0] === "config" && listOf(path) !== undefined, query: [], fields: [], answer: readList },
  { method: "PUT", matches: isItem, query: [], fields: [], answer: changeItem },
  { method: "DELETE", matches: isItem, query: [], fields: [], answer: changeItem },
];

/** The first parameter that the route does not declare, in words. */
function undeclared(route: Route, { query, body }: Request): string | undefined {
  const name = [...query.keys()].find((key) => key !== "sid" && !route.query.includes(key));
  if (name !== undefined) return `the parameter ${name}`;
  if (body === "") return undefined;
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed !== "object" || parsed === null) return undefined;
    const field = Object.keys(parsed).find((key) => key !== "sid" && !route.fields.includes(key));
    return field === undefined ? undefined : `the field ${field}`;
  } catch {
    // The route reports what is wrong with it.
    return undefined;
  }
}

/** Answers one call below `/api`. */
export async function answerApi(state: PiholeState, request: Request): Promise<Reply> {
  const shown = `${request.method} /api/${request.path.join("/")}`;
  const route = ROUTES.find((candidate) => candidate.method === request.method && candidate.matches(request.path));
  if (route === undefined) {
    state.unhandled(shown);
    return failure(404, "not_found", "Not found", `/api/${request.path.join("/")}`);
  }
  const strange = undeclared(route, request);
  if (strange !== undefined) {
    state.unhandled(`${shown}: ${strange} is not modelled`);
    return failure(400, "bad_request", `${strange} is not modelled by the lab`);
  }
  const header = request.headers["sid"] ?? request.headers["x-ftl-sid"] ?? request.query.get("sid")?.replaceAll(" ", "+");
  const session = typeof header === "string" ? state.sessions.use(header) : undefined;
  if (route.open !== true && session === undefined && state.config.password !== "") return failure(401, "unauthorized", "Unauthorized");
  return route.answer(state, request, session);
}

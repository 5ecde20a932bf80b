import { randomBytes } from "node:crypto";
import type { Clock } from "../../common/clock";

/** Defaults of FTL: `webserver.session.timeout` in seconds, `webserver.api.max_sessions`. */
const TIMEOUT_S = 1800;
const MAX_SESSIONS = 16;

export interface Session {
  sid: string;
  csrf: string;
  loginAt: number;
  /** Milliseconds since the epoch; each use makes it later. */
  validUntil: number;
}

const newId = (): string => randomBytes(16).toString("base64");

/** The sessions of those that are logged in. They are in memory, so a restart ends them; the real FTL keeps them in a database. */
export class Sessions {
  #all: (Session | undefined)[] = Array.from({ length: MAX_SESSIONS });

  constructor(private readonly clock: Clock) {}

  /** @returns undefined when every seat is taken */
  open(): Session | undefined {
    const now = this.clock.now();
    const seat = this.#all.findIndex((session) => session === undefined || session.validUntil < now);
    if (seat < 0) return undefined;
    const session = { sid: newId(), csrf: newId(), loginAt: now, validUntil: now + TIMEOUT_S * 1000 };
    this.#all[seat] = session;
    return session;
  }

  /** The session of this id, which lives longer from now on. */
  use(sid: string): Session | undefined {
    const now = this.clock.now();
    const session = this.#all.find((candidate) => candidate?.sid === sid && candidate.validUntil >= now);
    if (session !== undefined) session.validUntil = now + TIMEOUT_S * 1000;
    return session;
  }

  close(session: Session): void {
    this.#all = this.#all.map((candidate) => (candidate === session ? undefined : candidate));
  }

  /** Seconds that it is still good for. */
  validity(session: Session): number {
    return Math.round((session.validUntil - this.clock.now()) / 1000);
  }
}

/**
 * `fetch` for the APIs of GitHub and GitLab, through the proxy of the environment: waits where the host asks for it, and repeats requests
 * that are safe to repeat. GitHub: 403 or 429 with `retry-after`, or with `x-ratelimit-remaining: 0` and `x-ratelimit-reset`
 * (docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api). GitLab: 429 with `retry-after` and `ratelimit-reset`
 * (docs.gitlab.com/security/rate_limits).
 */
import type { Clock } from "../../common/clock";
import { asError, HomelabError, systemErrorCode } from "../../common/errors";
import { createHttpClient, type HttpClient, type HttpResponse } from "../../common/http";
import type { Session } from "../cli/session";

/** The wait after each failed try, in milliseconds. After the try that follows the last wait, the failure is returned. */
const WAITS = [1_000, 2_000, 4_000, 8_000];
/** The longest that all requests of a run together wait for rate limits, in milliseconds. */
const LONGEST_WAIT = 5 * 60_000;
const BUSY = new Set([500, 502, 503, 504]);
/** Idempotent methods, and PATCH, which is used only to write whole values: these requests may be repeated. */
const REPEATABLE = new Set(["GET", "HEAD", "PUT", "PATCH", "DELETE"]);
const TIMEOUT = 30_000;
/** No such answer is followed: what is renamed has its token's rights under its new name. */
const MOVED = new Set([301, 302, 303, 307, 308]);

export interface PoliteFetch {
  fetch: typeof fetch;
  /** What the last request threw: a client may replace it by an error of its own. */
  failure(): Error | undefined;
  close(): Promise<void>;
}

const header = (response: HttpResponse, name: string): string | undefined => {
  const value = response.headers[name];
  return Array.isArray(value) ? value[0] : value;
};

/** Milliseconds until the host takes requests again; undefined where it is no rate limit. */
function limitedFor(response: HttpResponse, now: number): number | undefined {
  if (response.status !== 429 && response.status !== 403) return undefined;
  const after = header(response, "retry-after");
  if (after !== undefined && /^\d{1,9}$/.test(after)) return Number(after) * 1_000;
  const remaining = header(response, "x-ratelimit-remaining") ?? header(response, "ratelimit-remaining");
  const reset = header(response, "x-ratelimit-reset") ?? header(response, "ratelimit-reset");
  if (reset !== undefined && /^\d{1,12}$/.test(reset) && (remaining === "0" || response.status === 429)) return Math.max(0, Number(reset) * 1_000 - now);
  return response.status === 429 ? 60_000 : undefined;
}

const movedFrom = (origin: string, status: number): HomelabError =>
  new HomelabError("E_MOVED", `${origin} answered ${status}: what was asked for is elsewhere`, {
    subject: origin,
    hint: "the repository or project was renamed or moved: give its new name and address",
  });

/** Whether a request never reached the host. */
function wasRefused(thrown: unknown): boolean {
  for (let cause: unknown = thrown; cause !== undefined; cause = asError(cause).cause)
    if (["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN"].includes(systemErrorCode(cause) ?? "")) return true;
  return false;
}

function asResponse({ status, headers, body }: HttpResponse): Response {
  const list = Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [value].flat().map((one): [string, string] => [name, one])));
  return new Response([204, 205, 304].includes(status) ? null : body, { status, headers: list });
}

/**
 * @param origin all requests go there
 * @param say told of each wait
 */
export function createPoliteFetch(origin: string, clock: Clock, say: (text: string) => void): PoliteFetch {
  const client: HttpClient = createHttpClient(origin);
  let waited = 0;
  let failure: Error | undefined;

  const waitFor = async (ms: number): Promise<void> => {
    if (waited + ms > LONGEST_WAIT)
      throw new HomelabError("E_RATE_LIMIT", `${origin} takes no more requests for ${Math.ceil(ms / 1_000)} seconds`, {
        subject: origin,
        hint: "run the job again after that time",
      });
    waited += ms;
    say(`${origin} asks to wait: ${Math.ceil(ms / 1_000)} s\n`);
    await clock.sleep(ms);
  };

  const send = async (request: Request, body: string | undefined): Promise<HttpResponse> => {
    const canRepeat = REPEATABLE.has(request.method);
    for (let tried = 0; ; ) {
      const wait = WAITS[tried];
      try {
        const sent = { method: request.method, url: request.url, headers: Object.fromEntries(request.headers), timeoutMs: TIMEOUT };
        const response = await client.request(body === undefined ? sent : { ...sent, body });
        if (MOVED.has(response.status)) throw movedFrom(origin, response.status);
        const limited = limitedFor(response, clock.now());
        if (limited !== undefined) await waitFor(limited);
        else if (BUSY.has(response.status) && canRepeat && wait !== undefined) await clock.sleep(wait);
        else return response;
        if (limited === undefined) tried++;
        // A limit of zero seconds must not lead to an endless loop.
        else if (limited === 0 && ++tried > WAITS.length) return response;
      } catch (thrown) {
        const isFinal = thrown instanceof HomelabError && ["E_RATE_LIMIT", "E_MOVED"].includes(thrown.code);
        if (isFinal || wait === undefined || (!canRepeat && !wasRefused(thrown))) throw thrown;
        await clock.sleep(wait);
        tried++;
      }
    }
  };

  return {
    fetch: async (input, init) => {
      const request = new Request(input, init);
      if (new URL(request.url).origin !== new URL(origin).origin)
        throw new HomelabError("E_OTHER_ORIGIN", `a request to ${new URL(request.url).origin} where only ${origin} is allowed`, { subject: origin });
      const body = request.body === null ? undefined : await request.text();
      failure = undefined;
      try {
        return asResponse(await send(request, body));
      } catch (thrown) {
        failure = asError(thrown);
        throw failure;
      }
    },
    failure: () => failure,
    close: () => client.close(),
  };
}

/** Works with a host by a token, which is redacted from all output. */
export async function atHost<T>(
  session: Session,
  facts: { readonly api: string; readonly token: string },
  work: (polite: PoliteFetch) => Promise<T>,
): Promise<T> {
  session.redactor.register(facts.token);
  const polite = createPoliteFetch(facts.api, session.clock, session.err);
  try {
    return await work(polite);
  } finally {
    await polite.close();
  }
}

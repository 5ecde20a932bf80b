import { HomelabError } from "../../common/errors";
import { createHttpClient, type HttpRequest, type HttpResponse } from "../../common/http";
import { headerOf } from "./registry-protocol";

const HOPS = 5;

export interface Exchanged<T> {
  readonly status: number;
  readonly headers: HttpResponse["headers"];
  /** What `read` returned. */
  readonly body: T;
  /** After redirects. */
  readonly url: string;
}

/**
 * One request, over redirects. Credentials go only to the origin of the first address.
 * @param read reads each body to its end, so that the connection can be closed
 * @param code of the error after too many redirects
 */
export async function overRedirects<T>(
  request: HttpRequest,
  code: string,
  read: (body: AsyncIterable<Uint8Array>, url: string) => Promise<T>,
): Promise<Exchanged<T>> {
  const { url, headers = {} } = request;
  const { authorization: _, ...plain } = headers;
  let next = url;
  for (let hop = 0; hop <= HOPS; hop++) {
    const http = createHttpClient(next);
    try {
      const same = new URL(next).origin === new URL(url).origin;
      const response = await http.stream({ ...request, url: next, headers: same ? headers : plain });
      const body = await read(response.body, next);
      const location = headerOf(response, "location");
      if (response.status < 300 || response.status >= 400 || location === undefined)
        return { status: response.status, headers: response.headers, body, url: next };
      next = new URL(location, next).href;
    } finally {
      await http.close();
    }
  }
  throw new HomelabError(code, `${url} leads from one address to the next, more than ${HOPS} times`, { subject: url });
}

/** Replies of GitLab's API that its parts have in common. */
import { linkHeader, type Page, type Reply } from "./state";

export const message = (status: number, text: string): Reply => ({ status, body: { message: text } });
export const NOT_FOUND = message(404, "404 Not found");
export const FORBIDDEN = message(403, "403 Forbidden");

/** GitLab has the numbers of the pages in headers beside `Link`. */
export const pageHeaders = (url: URL, page: Page<unknown>): Record<string, string> => ({
  ...linkHeader(url, page),
  ...{ "x-page": String(page.page), "x-per-page": String(page.perPage), "x-total-pages": String(page.pages) },
  "x-next-page": page.page >= page.pages ? "" : String(page.page + 1),
});

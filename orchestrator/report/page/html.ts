/** Text of others in HTML: nothing of it is markup. */
export const escapeHtml = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;").replaceAll("'", "&#39;");

export const cells = (row: readonly string[], tag: "td" | "th"): string =>
  `<tr>${row.map((cell) => `<${tag}${tag === "th" ? ' scope="col"' : ""}>${escapeHtml(cell)}</${tag}>`).join("")}</tr>`;

/** A section of the page, which the keyboard goes to by its number. */
export const section = (id: string, title: string, body: string): string =>
  body === "" ? "" : `<section id="${id}" aria-labelledby="${id}-title"><h2 id="${id}-title" tabindex="-1">${escapeHtml(title)}</h2>${body}</section>`;

/** What may be wider than the screen and then scrolls in itself, by the keyboard too. @param label unique in the page */
export const wide = (label: string, body: string): string => `<div class="wide" role="region" aria-label="${escapeHtml(label)}" tabindex="0">${body}</div>`;

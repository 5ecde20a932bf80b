/** Makes untrusted text safe in HTML: nothing in it is markup. */
export const escapeHtml = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;").replaceAll("'", "&#39;");

export const cells = (row: readonly string[], tag: "td" | "th"): string =>
  `<tr>${row.map((cell) => `<${tag}${tag === "th" ? ' scope="col"' : ""}>${escapeHtml(cell)}</${tag}>`).join("")}</tr>`;

/** A section of the page. Its number on the keyboard goes there. */
export const section = (id: string, title: string, body: string): string =>
  body === "" ? "" : `<section id="${id}" aria-labelledby="${id}-title"><h2 id="${id}-title" tabindex="-1">${escapeHtml(title)}</h2>${body}</section>`;

/** A block that may be wider than the screen, and then scrolls by itself, with the keyboard too. @param label unique in the page */
export const wide = (label: string, body: string): string => `<div class="wide" role="region" aria-label="${escapeHtml(label)}" tabindex="0">${body}</div>`;

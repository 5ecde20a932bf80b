// Reads a JSON array of Markdown texts from standard input, and writes an array with the HTML of each, by GitHub-flavoured Markdown.
import { micromark } from "micromark";
import { gfm, gfmHtml } from "micromark-extension-gfm";

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const texts = JSON.parse(Buffer.concat(chunks).toString("utf8"));
// Raw HTML is passed through, so that the test sees HTML in a comment that is not ours.
process.stdout.write(JSON.stringify(texts.map((text) => micromark(text, { extensions: [gfm()], htmlExtensions: [gfmHtml()], allowDangerousHtml: true }))));

// Reads Markdown on standard input, as a JSON array of texts; writes an array of the HTML that GitHub-flavoured Markdown makes of each.
import { micromark } from "micromark";
import { gfm, gfmHtml } from "micromark-extension-gfm";

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const texts = JSON.parse(Buffer.concat(chunks).toString("utf8"));
// Raw HTML is let through: that none but ours is in a comment is what is looked at.
process.stdout.write(JSON.stringify(texts.map((text) => micromark(text, { extensions: [gfm()], htmlExtensions: [gfmHtml()], allowDangerousHtml: true }))));

/**
 * Which values are secrets at all. SOPS files hold names and places beside real secrets (hosts, ports, users, paths); hiding
 * those would turn ordinary output into noise. A value is shown only if its shape is one of these and nothing in it looks
 * random. In doubt it is hidden.
 */

/** A value below this length is no useful secret, and hiding it would turn ordinary output into noise. */
export const MIN_LENGTH = 6;

const COMMON_WORDS = new Set(
  "access account active admin administrator bucket cluster config default developer disabled enabled engine example external homelab ingress internal localhost namespace normal operator password postgres private production project public pulumi region registry release secret server service staging standard suporte system terraform testing traefik ubuntu unknown username values version yes true false null none undefined".split(
    " ",
  ),
);

/** Last parts of host names in a homelab. A password with a dot hardly ever ends with one of these. */
const DOMAIN_ENDS = new Set("pw com net org io dev app lan local internal svc example test invalid home arpa br eu de uk us cloud sh co me info".split(" "));
/** First parts of the paths that a configuration names. */
const ROOT_FOLDERS = new Set("bin boot data dev etc home lib media mnt opt proc root run sbin srv sys tmp usr var".split(" "));

const ADDRESS = /^\d{1,3}(\.\d{1,3}){3}(\/\d{1,2})?(:\d{1,5})?$/;
const HOST = /^((?:[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?\.)+)([a-z]{2,10})(:\d{1,5})?$/;
const URL_WITHOUT_CREDENTIALS = /^[a-z][a-z0-9+]*:\/\/([^/@\s?#]+)((?:\/[A-Za-z0-9._-]*)*)$/;
const PATH = /^(\/[A-Za-z0-9._-]+)+$/;
const PEM_FRAME = /^-----(BEGIN|END) [A-Z0-9 ]+-----$/;

/** A word that a person chose: very short (k3s), or of one case, with digits at its end only, and pronounceable (it has vowels). */
function isPlainWord(word: string): boolean {
  if (/^[a-z0-9]{1,4}$/.test(word)) return true;
  const match = /^(v?\d{1,5}|([A-Za-z]?[a-z]{0,11}|[A-Z]{1,12})\d{0,4})$/.exec(word);
  if (!match) return false;
  const letters = (match[2] ?? "").toLowerCase();
  if (letters.length > 5 && !/[aeiouy]/.test(letters)) return false;
  return !/[^aeiouy\d]{5,}/.test(letters);
}

const isPlainText = (text: string): boolean =>
  text
    .split(/[._-]/)
    .filter((word) => word !== "")
    .every(isPlainWord);

function isHost(text: string): boolean {
  if (ADDRESS.test(text) || /^localhost(:\d{1,5})?$/.test(text)) return true;
  const match = HOST.exec(text);
  return match?.[1] !== undefined && DOMAIN_ENDS.has(match[2] ?? "") && isPlainText(match[1]);
}

function isPath(text: string): boolean {
  return PATH.test(text) && ROOT_FOLDERS.has(text.split("/")[1] ?? "") && text.split("/").every(isPlainText);
}

function isPlainUrl(text: string): boolean {
  const match = URL_WITHOUT_CREDENTIALS.exec(text);
  if (!match?.[1]) return false;
  const segments = (match[2] ?? "").split("/").filter((segment) => segment !== "");
  // A single name is a host inside the cluster (http://minio:9000).
  return (isHost(match[1]) || /^[a-z-]{1,20}(:\d{1,5})?$/.test(match[1])) && segments.length <= 4 && segments.every(isPlainText);
}

/** Whether a value is kept out of the output at all; false for short and common ones, and for plain hosts, URLs and paths. */
export function isWorthHiding(value: string): boolean {
  const text = value.trim();
  if (text.length < MIN_LENGTH || COMMON_WORDS.has(text.toLowerCase()) || PEM_FRAME.test(text)) return false;
  return !isHost(text) && !isPlainUrl(text) && !isPath(text);
}

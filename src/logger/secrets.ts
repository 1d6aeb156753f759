/**
 * What no output shows: replies, downloads, lines of the log, audit and completion all pass here. Texts of errors come
 * from drivers and other APIs, and some of them quote the address with the password in it.
 *
 * Known by their form are addresses with credentials, named values (`password=`, `api_key=`, `"token": …`), headers of
 * authorization, webhooks, and tokens of Discord and others. A secret without any form cannot be known.
 */

/** Names of values that are secret, whatever stands before them: `DB_PASSWORD`, `x-api-key`, `client_secret`. */
const NAME = String.raw`[\w.-]*(?:api[_-]?key|passwor[dt]|passwd|passphrase|pwd|secret|token|private[_-]?key|access[_-]?key|signature|credentials?)`;
const QUOTED = String.raw`\\?"(?:\\.|[^"\\])*\\?"|\\?'(?:\\.|[^'\\])*\\?'`;
/** A plain word of prose, as in "Bearer token" or "password: too short". */
const WORD = /^[\p{P}\p{S}]*\p{L}?\p{Ll}*[\p{P}]*$/u;
/** What follows a secret rather than belongs to it. */
const CLOSING = /["'`)\]}>,.;]*$/;

// Every run of characters has a bound, so that a hostile text of any length costs no more than a long one.

type Replace = (match: string, ...groups: string[]) => string;

const RULES: readonly (readonly [pattern: RegExp, replacement: string | Replace])[] = [
  // A password may hold any sign but a blank, `@` and `/` included: it ends at the last `@`.
  [/\b([a-z][a-z0-9+.-]{0,30}):\/\/([^\s/?#@:]{0,200}):(\S{0,1000})@/gi, credentials],
  [/\b([a-z][a-z0-9+.-]{0,30}):\/\/[^\s/?#@]{1,1000}@/gi, '$1://[credentials]@'],
  // An address whose scheme was forgotten.
  [/(?<![\w/.+-])[\w.+-]{1,200}:(?!\/\/)[^\s@]\S{0,200}@(?=[\w.-]+(?::\d{2,5}|\/))/g, '[credentials]@'],
  [/\b((?:interactions|webhooks)\/\d{15,21}\/)[^/?#\s"'`]+/g, '$1[token]'],
  [/\b(hooks\.slack\.com\/(?:services|workflows)\/)[^\s"'`]+/gi, '$1[token]'],
  [/\b(api\.telegram\.org\/(?:file\/)?bot)[^/\s"'`]+/gi, '$1[token]'],
  [
    /\b((?:proxy-)?authorization["']?\s*[:=]\s*["']?)(?:(basic|bearer|bot|digest|token)\s+)?[^\s"',}]+/gi,
    header,
  ],
  [/\b((?:set-)?cookie["']?\s*:\s*)[^\r\n]+/gi, '$1[secret]'],
  [/\b(bearer|basic|bot)\s+(\S{6,})/gi, scheme],
  [new RegExp(String.raw`(?<![\w.-])(${NAME})(["']?\s*=>?\s*)(${QUOTED}|\S+)`, 'gi'), named],
  [new RegExp(String.raw`(?<![\w.-])(${NAME})(\\?["']?\s*:\s*)(${QUOTED}|\S+)`, 'gi'), stated],
  // JSON Web Tokens and tokens of bots: three parts, the last or the middle of which may be short.
  [/(?<![\w-])eyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*)?/g, '[token]'],
  [/(?<![\w-])[\w-]{20,}\.[\w-]{5,}\.[\w-]{20,}(?![\w-])/g, '[token]'],
  [/(?<![\w-])(?:mfa\.[\w-]{20,}|gh[pousr]_\w{16,}|github_pat_\w{16,}|glpat-[\w-]{16,})/g, '[token]'],
  [/(?<![\w-])(?:[sr]k[-_](?:live_|test_|proj-|ant-)?[\w-]{16,}|xox[a-z]-[\w-]{10,})/g, '[token]'],
  [/(?<![\w-])(?:AIza[\w-]{30,}|AKIA[0-9A-Z]{16})/g, '[token]'],
];

/** A port is no password: `http://localhost:3000/@ada`. */
function credentials(match: string, name = '', host = '', rest = ''): string {
  const isPort = /^\d{1,5}(?=[/?#]|$)/.test(rest) && /\.|^localhost$/i.test(host);
  return isPort ? match : `${name}://[credentials]@`;
}

function header(_match: string, name = '', kind?: string): string {
  return `${name}${kind === undefined ? '' : `${kind} `}[secret]`;
}

function scheme(match: string, kind = '', value = ''): string {
  return WORD.test(value) ? match : `${kind} [secret]${closingOf(value)}`;
}

function named(match: string, name = '', sign = '', value = ''): string {
  const bare = unquoted(value);
  return bare === '' || bare === '[secret]' ? match : `${name}${sign}[secret]${closingOf(value)}`;
}

/** After a colon prose may follow, as in `Invalid password: too short`: within quotes it never does. */
function stated(match: string, name = '', sign = '', value = ''): string {
  const isProse = unquoted(value) === value && /\s/.test(sign) && WORD.test(value);
  return isProse || value.startsWith(':') ? match : named(match, name, sign, value);
}

function unquoted(value: string): string {
  return value.replace(/^\\?["']|\\?["']$/g, '');
}

function closingOf(value: string): string {
  return unquoted(value) === value ? (CLOSING.exec(value)?.[0] ?? '') : '';
}

/** The text without what is known to be secret; the same text where there is nothing. */
export function withoutSecrets(text: string): string {
  let clean = text;
  // Replacements of both kinds are taken by `replaceAll`, whose types know only one at a time.
  for (const [pattern, replacement] of RULES) clean = clean.replace(pattern, replacement as string);
  return clean;
}

const IN_QUOTES = /(['"`])(?:file:|\/(?=[^/])|[A-Za-z]:[\\/]|\\\\|~\/)[^'"`\n]*\1/g;
const BY_SCHEME = /\b(?:file|sqlite3?):\/*[^\s'"`)]*[\\/][^\s'"`)]*/gi;
const ABSOLUTE =
  /(?<![\w/\]}])~?\/(?:[^\s/'"`:;,()<>]+\/)+[^\s/'"`:;,()<>]*(?: [^\s/'"`]+\/[^\s'"`:;,()<>]*)*/g;
const OF_WINDOWS = /(?<![\w])(?:[A-Za-z]:[\\/]|\\\\[\w.$-]+\\)[^\s'"`]*/g;

/** Far more than a reply has room for. */
const MAX_SHOWN = 2_000;

/** The first line of an error as people are shown it: without secrets, and without paths of the host. */
export function shownError(text: string): string {
  const [whole = ''] = text.split('\n', 1);
  // Cut between words: half a secret has no form by which it could be known.
  const line = whole.length <= MAX_SHOWN ? whole : whole.slice(0, MAX_SHOWN).replace(/\S*$/, '…');
  return withoutSecrets(line)
    .replace(IN_QUOTES, '$1[path]$1')
    .replace(BY_SCHEME, '[path]')
    .replace(ABSOLUTE, '[path]')
    .replace(OF_WINDOWS, '[path]');
}

/** How discord.js names what a rate limit is about: an id and a token, alone. */
const ID_AND_TOKEN = /^(\d{15,21}\/)[\w-]{20,}$/;
/** An error, its causes, and what hangs on them; nothing of Discord's lies deeper. */
const MAX_DEPTH = 6;

/** The same value where no secret is in its texts; otherwise a copy without. Errors stay of their class. */
export function withoutSecretsIn<T>(value: T, depth: number = MAX_DEPTH): T {
  if (typeof value === 'string') {
    return withoutSecrets(value).replace(ID_AND_TOKEN, '$1[token]') as T & string; // a string as before
  }
  if (typeof value !== 'object' || value === null || depth === 0 || !isOpen(value)) return value;
  if (Array.isArray(value)) {
    const clean = value.map((each: unknown) => withoutSecretsIn(each, depth - 1));
    return clean.some((each, i) => each !== value[i]) ? (clean as T & unknown[]) : value; // a list as before
  }
  const properties = Object.getOwnPropertyDescriptors<object>(value) as PropertyDescriptorMap; // any object's are
  // An accessor in newer versions of V8, which reads nothing from a copy.
  if (value instanceof Error) properties.stack = { value: value.stack, writable: true, configurable: true };
  let isChanged = false;
  for (const [name, property] of Object.entries(properties)) {
    const clean = isSecretName(name, property.value)
      ? '[secret]'
      : withoutSecretsIn(property.value as unknown, depth - 1);
    if (clean === property.value) continue;
    property.value = clean;
    isChanged = true;
  }
  // Of the same class, with the same properties.
  return isChanged ? (Object.create(Object.getPrototypeOf(value), properties) as T) : value;
}

const SECRET_NAME = new RegExp(`^(?:${NAME}|(?:proxy-)?authorization|(?:set-)?cookie)$`, 'i');

/** A field that names a secret holds one, whatever its text looks like. */
function isSecretName(name: string, value: unknown): boolean {
  return typeof value === 'string' && value !== '' && SECRET_NAME.test(name);
}

/** Looked into are errors, lists and plain objects; what else there is may not be copied. */
function isOpen(value: object): boolean {
  if (value instanceof Error || Array.isArray(value)) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

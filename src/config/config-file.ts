/**
 * Finds the file that configures Cachecord. `cachecord.json` is Cachecord's alone and read strictly. Many bots have a
 * `config.json` with their token: it is read where a section of ours stands in it, only those sections are looked at,
 * and a file without any is the bot's own. No text of such a file is repeated where it may hold a secret.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorText } from '../cache/error-text.ts';
import { CacheError } from '../cache/errors.ts';
import { nearestName } from '../nearest-name.ts';
import { namesAt, syntaxProblem } from './problem-text.ts';

/** What was found for a configuration. */
export interface FoundFile {
  /** The file that is read or would be, for messages. */
  readonly path: string;
  /** Whether it was read; otherwise the defaults hold. */
  readonly isRead: boolean;
  /** What it says of Cachecord, not checked yet. */
  readonly sections: unknown;
  /** Names of sections that are misspelled, each as a problem. */
  readonly problems: readonly string[];
  /** Follows the problems: the way out for a file that is the bot's own. */
  readonly advice: string | undefined;
  /** A line for the log. */
  readonly notice?: { readonly level: 'info' | 'warn'; readonly text: string } | undefined;
}

const OWN_FILE = 'cachecord.json';
const SHARED_FILE = 'config.json';

/** What the plugin reads. */
const PLUGIN_SECTIONS: readonly string[] = ['cache', 'admin', 'warmers'];
/** What the reference bot reads, and common names in a bot's own file. */
const REFERENCE_SECTIONS: readonly string[] = ['database', 'write_behind', 'api'];

const ADVICE =
  "If this file is the bot's own, put what concerns Cachecord into cachecord.json, which is read in its place.";

/**
 * Looks for the configuration in a folder.
 * @throws CacheError `ERR_CONFIG_INVALID` for a file that cannot be read, or is ours and no JSON
 */
export function findConfigFile(folder: string): FoundFile {
  const own = join(folder, OWN_FILE);
  const shared = join(folder, SHARED_FILE);
  const text = readText(own);
  if (text !== undefined) {
    const ignored = isOursToo(shared) ? ` The sections of Cachecord in ${SHARED_FILE} are not read.` : '';
    const notice = {
      level: ignored === '' ? 'info' : 'warn',
      text: `Cachecord is configured by ${own}.${ignored}`,
    } as const;
    return { ...strictly(own, text), notice };
  }
  const sharedText = readText(shared);
  if (sharedText === undefined) return nothing(own);
  return inSharedFile(shared, sharedText);
}

/**
 * Reads the file that was named.
 * @throws CacheError `ERR_CONFIG_INVALID` for a file that cannot be read or is no JSON
 */
export function readConfigFile(path: string): FoundFile {
  const text = readText(path);
  if (text !== undefined) return strictly(path, text);
  return { ...nothing(path), notice: { level: 'warn', text: `There is no ${path}: the defaults are used.` } };
}

function nothing(path: string): FoundFile {
  return { path, isRead: false, sections: {}, problems: [], advice: undefined };
}

function strictly(path: string, text: string): FoundFile {
  return { path, isRead: true, sections: parsed(path, text, undefined), problems: [], advice: undefined };
}

/** `config.json`: ours, the bot's, or both. */
function inSharedFile(path: string, text: string): FoundFile {
  const notOurs = {
    ...nothing(path),
    notice: {
      level: 'info',
      text: `${path} has no section "cache", so it is the bot's own and Cachecord uses its defaults. Settings for Cachecord belong in ${OWN_FILE}.`,
    },
  } as const;
  if (syntaxProblem(text) !== undefined && isCertainlyForeign(text)) return notOurs;
  const file = parsed(path, text, ADVICE);
  if (!isObject(file)) return notOurs;
  const names = Object.keys(file);
  const known = namesAt([]);
  const misspelled = names.flatMap((name) => misspelledSection(name, file));
  const isBots = (name: string) =>
    known.includes(name)
      ? REFERENCE_SECTIONS.includes(name) && !isOurSection(name, file[name], true)
      : !misspelled.some((each) => each.name === name);
  const isShared = names.some(isBots);
  const candidates = isShared ? PLUGIN_SECTIONS : known;
  const ours = names.filter((name) => candidates.includes(name) && isOurSection(name, file[name], isShared));
  if (ours.length === 0 && misspelled.length === 0 && names.length > 0) return notOurs;
  // Without a foreign name beside them, all names are ours and are judged as in our own file.
  const kept = isShared ? ours : names.filter((name) => known.includes(name));
  return {
    path,
    isRead: true,
    sections: Object.fromEntries(kept.map((name) => [name, file[name]])),
    problems: misspelled.map(({ name, meant }) => `${name}: unknown name, did you mean "${meant}"?`),
    advice: ADVICE,
    notice: { level: 'info', text: `Cachecord is configured by ${path}.` },
  };
}

/** In a file of the bot's, `cache` is ours wherever it is a section; `admin` may be the bot's, such as a list of ids. */
function isOurSection(name: string, value: unknown, isShared: boolean): boolean {
  if (name === 'cache') return isObject(value) || !isShared;
  return isObject(value) && (Object.keys(value).length === 0 || hasNameOf(name, value));
}

/** A section whose name is almost one of ours, with contents that are ours. */
function misspelledSection(
  name: string,
  file: Readonly<Record<string, unknown>>,
): { readonly name: string; readonly meant: string }[] {
  if (namesAt([]).includes(name)) return [];
  const meant = nearestName(name, PLUGIN_SECTIONS);
  const value = file[name];
  if (meant === undefined || meant in file || !isObject(value)) return [];
  return hasNameOf(meant, value) ? [{ name, meant }] : [];
}

function hasNameOf(section: string, value: object): boolean {
  const known = namesAt([section]);
  return Object.keys(value).some((name) => known.includes(name) || nearestName(name, known) !== undefined);
}

/** A text that is no JSON: it names things, and nothing of ours. */
function isCertainlyForeign(text: string): boolean {
  const names = [...text.matchAll(/([\w$]+)["']?\s*:/g)].map(([, name = '']) => name);
  return names.length > 0 && !names.some((name) => namesAt([]).includes(name));
}

function isOursToo(path: string): boolean {
  try {
    const text = readText(path);
    return text !== undefined && inSharedFile(path, text).isRead;
  } catch {
    return false; // it is not read, so its faults are the bot's
  }
}

function parsed(path: string, text: string, advice: string | undefined): unknown {
  const problem = syntaxProblem(text);
  if (problem !== undefined) throw invalidConfig(path, [problem], advice);
  return JSON.parse(text);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT') return undefined;
    const why = code === 'EISDIR' ? 'it is a folder' : errorText(error);
    throw new CacheError('ERR_CONFIG_INVALID', `${file} can't be read: ${why}`, { cause: error });
  }
}

/** @param advice what to do about all of them */
export function invalidConfig(name: string, problems: readonly string[], advice?: string): CacheError {
  const heading = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
  const lines = [...problems, ...(advice === undefined ? [] : [advice])];
  return new CacheError(
    'ERR_CONFIG_INVALID',
    `${name} has ${heading}:\n${lines.map((line) => `  ${line}`).join('\n')}`,
  );
}

/**
 * What autocomplete offers: from memory and, in bounded time, from disk, since it cannot be deferred; never depending on
 * another option, since Discord's client keeps the results. At most 25 choices of at most 100 characters.
 */
import { createHash } from 'node:crypto';
import type { AutocompleteInteraction } from 'discord.js';
import type { Cache } from '../cache/cache.ts';
import { OTHER_NAMESPACES } from '../cache/tiers/tier-book.ts';
import { withoutSecrets } from '../logger/secrets.ts';
import { sent } from './answer.ts';
import type { CommandServices } from './command.ts';
import { knownKeys, storedNamespaces } from './known-keys.ts';
import { type ClearTarget, readTarget, tierTarget } from './target.ts';
import { entriesText, type Format } from './views/format.ts';
import { isBlank, plainText } from './views/key-text.ts';

export interface Choice {
  readonly name: string;
  readonly value: string;
}

const MAX_CHOICES = 25;
const MAX_LENGTH = 100;
/** Choices offered lately under a reference; an operator picks within seconds. */
const MAX_REMEMBERED = 2_000;

/**
 * What choices stand for whose value does not say so by itself: a text that is too long or blank, or one that would be
 * read as something else. Such a choice travels as a reference, a short hash, and is looked up when it comes back.
 */
export class Offered<T> {
  readonly #offered = new Map<string, T>();

  /** The value of a choice. @param isPlain whether the text, typed by hand, means the same */
  offer(text: string, meant: T, isPlain: boolean): string {
    // Discord takes away what is blank at the ends, and a text that looks like a reference would be read as one.
    const travelsAsItIs =
      text.trim() === text && plainText(text, MAX_LENGTH) === text && !REFERENCE.test(text);
    if (isPlain && travelsAsItIs) return text;
    const hash = createHash('sha256').update(JSON.stringify(meant)).digest('base64url');
    const reference = `#${hash.slice(0, REFERENCE_LENGTH)}`;
    this.#offered.delete(reference);
    this.#offered.set(reference, meant);
    for (const oldest of this.#offered.keys()) {
      if (this.#offered.size <= MAX_REMEMBERED) break;
      this.#offered.delete(oldest);
    }
    return reference;
  }

  /** What a reference stands for; `undefined` for any other text. */
  resolve(value: string): T | undefined {
    return this.#offered.get(value.trim());
  }
}

const REFERENCE_LENGTH = 22;
const REFERENCE = new RegExp(`^#[\\w-]{${REFERENCE_LENGTH}}$`);

/** Keys that begin with what was typed: those in memory first, the most used before the others. */
export function keyChoices(cache: Cache, typed: string, offered: Offered<string>): Choice[] {
  return typedKeys(cache, typed, MAX_CHOICES).map((key) => ({
    name: plainText(key, MAX_LENGTH),
    value: offered.offer(key, key, true),
  }));
}

/** The key that an option names: what was picked, or what was typed. */
export function keyNamed(text: string, offered: Offered<string>): string {
  return offered.resolve(text) ?? text.trim();
}

/** A key may begin with the blanks that were typed; most begin with what comes after them. */
function typedKeys(cache: Cache, typed: string, limit: number): string[] {
  const exact = typed === typed.trim() ? [] : knownKeys(cache, typed, limit);
  return [...new Set([...exact, ...knownKeys(cache, typed.trim(), limit)])].slice(0, limit);
}

/** The value of a choice that stands for exactly this target. */
export function targetValue(target: ClearTarget, cache: Cache, offered: Offered<ClearTarget>): string {
  const reading = readTarget(target.text, cache);
  const { kind, text } = target;
  const isPlain = reading.ok && reading.target.kind === kind && reading.target.text === text;
  return offered.offer(text, target, isPlain);
}

/** What covers a namespace; where it is a key alone, such as `system_status`, that key. */
function namespaceTarget(namespace: string, cache: Cache, entries: number | undefined): ClearTarget {
  const isAlone =
    entries === undefined
      ? cache.stored?.inspect(namespace) !== undefined
      : entries === 1 && cache.inspect(namespace) !== undefined;
  return isAlone ? { kind: 'key', text: namespace } : { kind: 'pattern', text: `${namespace}::*` };
}

interface WideChoice {
  readonly target: ClearTarget;
  readonly name: string;
}

/** For `/cache-clear`: everything, tiers, namespaces, then keys. */
export function targetChoices(
  cache: Cache,
  typed: string,
  offered: Offered<ClearTarget>,
  format: Format,
): Choice[] {
  const stats = cache.stats(0);
  const counted = (text: string, entries: number) => `${text} — ${entriesText(format, entries)}`;
  const stored = storedNamespaces(cache);
  const storedTiers = new Set(stored.map(({ tier }) => tier));
  const onDisk = stats.disk?.entries ? `, ${format.count(stats.disk.entries)} on disk` : '';
  const everything: ClearTarget = { kind: 'all', text: 'all' };
  const wide: WideChoice[] = [
    { target: everything, name: `${counted('Everything', stats.total.entries)}${onDisk}` },
  ];
  const asksForTiers = typed.trim().toLowerCase().startsWith('tier:');
  for (const tier of [...stats.tiers].sort((a, b) => b.entries - a.entries)) {
    const text = `${tier.label} tier`;
    const isStored = storedTiers.has(tier.tier);
    if (tier.entries > 0 || isStored || asksForTiers)
      wide.push({
        target: tierTarget(tier),
        name: tier.entries === 0 && isStored ? `${text} — on disk` : counted(text, tier.entries),
      });
  }
  const namespaces = new Map<string, number>();
  for (const row of stats.namespaces) {
    namespaces.set(row.namespace, (namespaces.get(row.namespace) ?? 0) + row.entries);
  }
  for (const [namespace, entries] of [...namespaces].sort((a, b) => b[1] - a[1])) {
    if (entries === 0 || namespace === OTHER_NAMESPACES) continue;
    const target = namespaceTarget(namespace, cache, entries);
    wide.push({ target, name: counted(plainText(target.text, 70), entries) });
  }
  for (const { namespace } of stored) {
    if (namespaces.get(namespace)) continue;
    const target = namespaceTarget(namespace, cache, undefined);
    wide.push({ target, name: `${plainText(target.text, 70)} — on disk` });
  }
  const wanted = typed.trim().toLowerCase();
  const matching = wide.filter(({ target, name }) => `${target.text} ${name}`.toLowerCase().includes(wanted));
  // A pattern that is being typed can be sent as it stands.
  const reading = wanted.includes('*') ? readTarget(typed, cache) : undefined;
  if (reading?.ok === true && !matching.some(({ target }) => target.text === reading.target.text)) {
    matching.unshift({ target: reading.target, name: `Pattern ${plainText(typed.trim(), 80)}` });
  }
  // Wide choices leave room for keys as soon as something is typed.
  const kept = matching.slice(0, wanted === '' ? 20 : 12);
  const keys = typedKeys(cache, typed, MAX_CHOICES - kept.length).map(
    (text): WideChoice => ({ target: { kind: 'key', text }, name: plainText(text, MAX_LENGTH) }),
  );
  return [...kept, ...keys].map(({ target, name }) => ({ name, value: targetValue(target, cache, offered) }));
}

/** Sends the choices; discord.js checks neither their number nor their length, so they are held here. */
export async function respond(
  interaction: AutocompleteInteraction,
  choices: readonly Choice[],
  services: Pick<CommandServices, 'logger' | 'conflicts'>,
): Promise<void> {
  const fitting = choices
    .filter(({ value }) => value.trim() !== '' && value.length <= MAX_LENGTH)
    .slice(0, MAX_CHOICES)
    .map(({ name, value }) => ({ name: choiceName(name), value }));
  await sent('choices', interaction, services, () => interaction.respond(fitting));
}

/** As Discord takes it: within its length, and with something to see in it. */
function choiceName(name: string): string {
  const shown = withoutSecrets(name).slice(0, MAX_LENGTH).toWellFormed().trim();
  return isBlank(shown) ? plainText(shown, MAX_LENGTH) : shown;
}

/**
 * What autocomplete offers: from memory and, in bounded time, from disk, since it cannot be deferred; never depending on
 * another option, since Discord's client keeps the results. At most 25 choices of at most 100 characters.
 */
import { createHash } from 'node:crypto';
import type { AutocompleteInteraction } from 'discord.js';
import type { Cache } from '../cache/cache.ts';
import { sent } from './answer.ts';
import type { CommandServices } from './command.ts';
import { knownKeys, storedNamespaces } from './known-keys.ts';
import { entriesText, type Format } from './views/format.ts';
import { plainText } from './views/key-text.ts';

export interface Choice {
  readonly name: string;
  readonly value: string;
}

const MAX_CHOICES = 25;
const MAX_LENGTH = 100;
/** Long keys offered lately; an operator picks within seconds. */
const MAX_REMEMBERED = 500;

/** Keys that are too long to be a choice travel as a short hash, which stands for the key when it comes back. */
export class LongKeys {
  readonly #keys = new Map<string, string>();

  /** The value of a choice for this key. */
  offer(key: string): string {
    if (key.length <= MAX_LENGTH) return key;
    const short = `#${createHash('sha256').update(key).digest('base64url').slice(0, 22)}`;
    this.#keys.delete(short);
    this.#keys.set(short, key);
    for (const oldest of this.#keys.keys()) {
      if (this.#keys.size <= MAX_REMEMBERED) break;
      this.#keys.delete(oldest);
    }
    return short;
  }

  /** The key that a value stands for; any other text stands for itself. */
  resolve(value: string): string {
    return this.#keys.get(value) ?? value;
  }
}

/** Keys that begin with what was typed: those in memory first, the most used before the others. */
export function keyChoices(cache: Cache, typed: string, longKeys: LongKeys, limit = MAX_CHOICES): Choice[] {
  return knownKeys(cache, typed.trim(), limit).map((key) => ({
    name: plainText(key, MAX_LENGTH),
    value: longKeys.offer(key),
  }));
}

/** For `/cache-clear`: everything, tiers, namespaces, then keys. */
export function targetChoices(cache: Cache, typed: string, longKeys: LongKeys, format: Format): Choice[] {
  const stats = cache.stats(0);
  const counted = (text: string, entries: number) => `${text} — ${entriesText(format, entries)}`;
  const stored = storedNamespaces(cache);
  const storedTiers = new Set(stored.map(({ tier }) => tier));
  const onDisk = stats.disk?.entries ? `, ${format.count(stats.disk.entries)} on disk` : '';
  const wide: Choice[] = [{ value: 'all', name: `${counted('Everything', stats.total.entries)}${onDisk}` }];
  const asksForTiers = typed.trim().toLowerCase().startsWith('tier:');
  for (const tier of [...stats.tiers].sort((a, b) => b.entries - a.entries)) {
    const text = `${tier.label} tier`;
    const isStored = storedTiers.has(tier.tier);
    if (tier.entries > 0 || isStored || asksForTiers)
      wide.push({
        value: `tier:${tier.tier}`,
        name: tier.entries === 0 && isStored ? `${text} — on disk` : counted(text, tier.entries),
      });
  }
  const namespaces = new Map<string, number>();
  for (const row of stats.namespaces) {
    namespaces.set(row.namespace, (namespaces.get(row.namespace) ?? 0) + row.entries);
  }
  for (const [namespace, entries] of [...namespaces].sort((a, b) => b[1] - a[1])) {
    // A key may be its namespace alone, such as `system_status`.
    const pattern = entries === 1 && cache.has(namespace) ? namespace : `${namespace}::*`;
    if (entries > 0 && pattern.length <= MAX_LENGTH) {
      wide.push({ value: pattern, name: counted(plainText(pattern, 70), entries) });
    }
  }
  for (const { namespace } of stored) {
    const pattern = `${namespace}::*`;
    if (!namespaces.get(namespace) && pattern.length <= MAX_LENGTH) {
      wide.push({ value: pattern, name: `${plainText(pattern, 70)} — on disk` });
    }
  }
  const wanted = typed.trim().toLowerCase();
  const matching = wide.filter((choice) => `${choice.value} ${choice.name}`.toLowerCase().includes(wanted));
  // A pattern that is being typed can be sent as it stands.
  if (
    wanted.includes('*') &&
    wanted.length <= MAX_LENGTH &&
    !matching.some((one) => one.value === typed.trim())
  ) {
    matching.unshift({ value: typed.trim(), name: `Pattern ${plainText(typed.trim(), 80)}` });
  }
  // Wide choices leave room for keys as soon as something is typed.
  const kept = matching.slice(0, wanted === '' ? 20 : 12);
  const keys = keyChoices(cache, typed, longKeys, MAX_CHOICES - kept.length);
  return [...kept, ...keys].slice(0, MAX_CHOICES);
}

/** Sends the choices; discord.js checks neither their number nor their length, so they are held here. */
export async function respond(
  interaction: AutocompleteInteraction,
  choices: readonly Choice[],
  services: Pick<CommandServices, 'logger' | 'conflicts'>,
): Promise<void> {
  const fitting = choices
    .filter((choice) => choice.value !== '' && choice.value.length <= MAX_LENGTH)
    .slice(0, MAX_CHOICES)
    .map((choice) => ({ name: choice.name.slice(0, MAX_LENGTH) || '—', value: choice.value }));
  await sent('choices', interaction, services, () => interaction.respond(fitting));
}

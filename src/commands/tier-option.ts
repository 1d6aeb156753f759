/**
 * The option that names a tier: a list of choices while Discord's 25 suffice, completion beyond that. What comes back
 * is read once, since with completion any text may come.
 */
import {
  type APIApplicationCommandOptionChoice,
  type APIApplicationCommandStringOption,
  ApplicationCommandOptionType,
} from 'discord.js';
import type { TierPolicy } from '../cache/tiers/tier.ts';
import { nearestName } from '../nearest-name.ts';
import type { CommandServices } from './command.ts';
import type { Choice } from './completion.ts';
import { noSuchTier } from './views/states.ts';
import type { View } from './views/view.ts';

/** Discord's bound for the choices of an option. */
const MAX_CHOICES = 25;

type Named = Pick<TierPolicy, 'tier' | 'label'>;

/** A string option whose values are these tiers and what else the command knows. */
export function tierOption(
  name: string,
  description: string,
  tiers: readonly Named[],
  others: readonly Choice[] = [],
): APIApplicationCommandStringOption {
  const choices = [...tierChoices(tiers), ...others];
  const base = { type: ApplicationCommandOptionType.String, name, description } as const;
  return choices.length <= MAX_CHOICES ? { ...base, choices } : { ...base, autocomplete: true };
}

/** Each tier by its label. Discord wants names to differ, so equal labels have the tier's name beside them. */
function tierChoices(tiers: readonly Named[]): APIApplicationCommandOptionChoice<string>[] {
  return tiers.map(({ tier, label }) => {
    const isShared = tiers.some((other) => other.tier !== tier && other.label === label);
    return { name: (isShared ? `${label} (${tier})` : label).slice(0, 100), value: tier.slice(0, 100) };
  });
}

/** What completion offers for it. */
export function completeTier(
  tiers: readonly Named[],
  typed: string,
  others: readonly Choice[] = [],
): readonly Choice[] {
  const wanted = typed.trim().toLowerCase();
  return [...others, ...tierChoices(tiers)]
    .filter(({ name, value }) => `${name} ${value}`.toLowerCase().includes(wanted))
    .slice(0, MAX_CHOICES);
}

/** The tier that a text names, by its name or its label, case aside; `undefined` when there is none. */
export function tierNamed(tiers: readonly TierPolicy[], text: string): TierPolicy | undefined {
  const wanted = text.trim().toLowerCase();
  return (
    tiers.find(({ tier }) => tier === text.trim()) ??
    tiers.find(({ tier, label }) => tier.toLowerCase() === wanted || label.toLowerCase() === wanted)
  );
}

/** Said where a text names none: those there are, the one that was probably meant first. */
export function noSuchTierView(text: string, { cache }: Pick<CommandServices, 'cache'>): View {
  const names = cache.tiers.map(({ tier }) => tier);
  return noSuchTier(text, nearestName(text.trim(), names), names);
}

/** What every command may have to say instead of its own answer. Each tells what happened and what to do. */
import { shownError } from '../../logger/secrets.ts';
import { instant } from './format.ts';
import { keyText } from './key-text.ts';
import { disabled, type Mention, type View } from './view.ts';

function message(tone: View['tone'], title: string, ...lines: string[]): View {
  return { tone, title, blocks: [{ lines }] };
}

/** To people who are not on the allow-list: no key, no count, no reason that helps an attacker. */
export function notAllowed(): View {
  return message(
    'danger',
    '🔒 Not allowed',
    "You can't use this. Cache commands belong to this bot's operators, not to server admins.",
  );
}

/** @param retryAt epoch ms */
export function tooOften(retryAt: number): View {
  return message('degraded', '⏳ Slow down', `That was a bit fast. Try again ${instant(retryAt)}.`);
}

/**
 * An error nobody expected.
 * @param reference the id that the log has, too
 * @param cause for owners only: the first line of the error
 */
export function failure(reference: string, cause?: string): View {
  const lines = [
    `Something went wrong. What had been done before it stays done. The bot's log has it under ${keyText(reference)}.`,
  ];
  if (cause !== undefined && cause !== '') lines.push(`Cause: ${keyText(shownError(cause), 200)}`);
  return message('danger', '❌ Failed', ...lines);
}

/** A button whose panel this process does not know. */
export function oldPanel(mention: Mention, command: Parameters<Mention>[0]): View {
  return message(
    'degraded',
    '🕰️ Old panel',
    `This panel is from before the last restart. Run ${mention(command)} again.`,
  );
}

/** Somebody else's button. */
export function notYours(mention: Mention, command: Parameters<Mention>[0]): View {
  return message(
    'degraded',
    '🔒 Not yours',
    `Somebody else opened this panel. Run ${mention(command)} for your own.`,
  );
}

/** `cache.enabled` is false. */
export function disabledCache(): View {
  return message(
    'degraded',
    '⏸️ The cache is off',
    '`cache.enabled` is false in config.json: every read goes to the database, so there is nothing to do here.',
    'Set it to true and restart the bot.',
  );
}

/** Nothing is resident yet. @param sinceAt epoch ms @param stored entries on disk, in words; `undefined` where there are none */
export function emptyCache(sinceAt: number, mention: Mention, stored?: string): string {
  if (stored !== undefined) {
    return `Nothing is in memory yet: the cache started ${instant(sinceAt)}. ${stored} on disk come back as they are read.`;
  }
  return `The cache is empty. It started ${instant(sinceAt)} and fills as the bot is used. Fill it now with ${mention('cache-warm')}.`;
}

/** The commands were stopped with the bot. */
export function stopped(): View {
  return message('degraded', '🛑 Stopping', 'The bot is being stopped, so this panel is closed.');
}

/** A second press on a panel that is over. @param outcome what the first one did */
export function alreadyDone(outcome: string): View {
  return message('normal', '☑️ Already done', outcome);
}

/** A panel that ended by itself, its controls greyed out. */
export function expired(view: View, mention: Mention, command: Parameters<Mention>[0]): View {
  const grey = disabled(view);
  return {
    ...grey,
    notes: [...(view.notes ?? []), `This panel has expired. Run ${mention(command)} again.`],
  };
}

/** Tiers listed where one was mistyped; `/cache-info` has all. */
const TIERS_LISTED = 30;

/** @param nearest the tier that was probably meant */
export function noSuchTier(text: string, nearest: string | undefined, tiers: readonly string[]): View {
  const listed = tiers.slice(0, TIERS_LISTED).map((tier) => keyText(tier, 32));
  const more = tiers.length > TIERS_LISTED ? ` … and ${tiers.length - TIERS_LISTED} more` : '';
  return message(
    'degraded',
    '🗂️ No such tier',
    `There is no tier ${keyText(text, 48)}.${nearest === undefined ? '' : ` Did you mean ${keyText(nearest, 32)}?`}`,
    `There are: ${listed.join(' ')}${more}`,
  );
}

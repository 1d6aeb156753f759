/** Clearing itself: on every shard, put on record, and told with what may be done next. Whether to is asked before. */
import { type Answerable, answer } from './answer.ts';
import { tierLabel, warmScopeFor } from './clear-figures.ts';
import type { CommandServices } from './command.ts';
import { onRecord } from './on-record.ts';
import { PANEL_LIFE_MS } from './sessions.ts';
import { clearEverywhere, missing, shardsOnRecord } from './shards/everywhere.ts';
import { type ClearTarget, targetOnRecord } from './target.ts';
import { clearedOutcome, clearedView } from './views/clear.ts';
import { formatFor } from './views/format.ts';
import { withClearedRows } from './views/shards.ts';
import type { View } from './views/view.ts';
import type { WarmPanels } from './warm-command.ts';

export interface Clearing {
  readonly target: ClearTarget;
  /** How many of it are on disk, as was counted just now. */
  readonly stored: number;
  readonly thenWarm: boolean;
  /** These shards alone. @default all */
  readonly whom?: readonly number[] | undefined;
  readonly warmPanels: WarmPanels;
  /** The same view with a button for the shards that did not answer. */
  withRetry(view: View, silent: readonly number[]): View;
}

/** Resolves with the outcome in a line. */
export async function clearAndTell(
  interaction: Answerable,
  { target, stored, thenWarm, whom, warmPanels, withRetry }: Clearing,
  services: CommandServices,
): Promise<string> {
  const { cache } = services;
  const format = formatFor(interaction.locale);
  const scope = warmScopeFor(target, services);
  const { removal, ms, rows } = await clearEverywhere(services, target, whom);
  const { reference } = onRecord(interaction, services, 'cache-clear', {
    action: 'clear',
    target: targetOnRecord(target),
    outcome: `${removal.entries} entries, ${removal.weightBytes} bytes${stored === 0 ? '' : `, ${stored} on disk`}${shardsOnRecord(rows)}`,
  });
  const warmLabel =
    scope === undefined ? '' : scope === 'all' ? 'everything' : tierLabel(cache, scope).toLowerCase();
  const warm =
    scope === undefined || thenWarm
      ? undefined
      : {
          id: warmPanels.offer(interaction.user.id, { scope }, services, PANEL_LIFE_MS),
          label: `Warm ${warmLabel} now`,
        };
  const cleared = clearedView(
    { target: target.text, isKey: target.kind === 'key', removal, stored, ms, reference, warm },
    format,
  );
  const view = withClearedRows(cleared, rows, format);
  const follows = thenWarm ? ['Warming has begun; its result follows below.'] : [];
  const told = { ...view, notes: [...follows, ...(view.notes ?? [])] };
  const silent = missing(rows);
  await answer(interaction, silent.length === 0 ? told : withRetry(told, silent), services);
  if (thenWarm && scope !== undefined) await warmPanels.runBeside(interaction, { scope }, services);
  return clearedOutcome({ entries: removal.entries, stored }, cache.clock.epochAt(cache.clock.now()), format);
}

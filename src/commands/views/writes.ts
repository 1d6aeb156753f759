/**
 * Write-behind in words: what waits to be saved, what could not be, and what was done about it. For `/cache-writes`, and
 * in short for `/cache-info`. What was written is not shown: it may be anybody's.
 */
import { shownError } from '../../logger/secrets.ts';
import type { WriteBehindStats, WriterStats } from '../../write-behind/types.ts';
import type { DeadWrite } from '../writes-lookup.ts';
import { type Format, instant, NOTHING, plural } from './format.ts';
import { keyText } from './key-text.ts';
import { fileName } from './redacted.ts';
import type { Block, ControlId, Mention, View } from './view.ts';

/** More would not fit on a phone. */
const LETTERS_SHOWN = 10;
const WRITERS_SHOWN = 10;

const TITLE = '📮 Pending writes';

/** One that could not be saved; of several shards, with the one whose journal has it. */
export type Letter = DeadWrite & { readonly shard?: number };

export interface WritesModel {
  /** Of all shards together. */
  readonly figures: WriteBehindStats;
  /** The oldest first; up to {@link LETTERS_SHOWN} are shown. */
  readonly letters: readonly Letter[];
  /** How many journals there are: one a process. */
  readonly journals: number;
}

export function writesView(
  { figures, letters, journals }: WritesModel,
  format: Format,
  mention: Mention,
): View {
  const { writers, dead, waiting, oldestAt } = figures;
  const shown = letters.slice(0, LETTERS_SHOWN);
  return {
    tone: dead > 0 ? 'degraded' : 'normal',
    title: TITLE,
    subtitle:
      waiting + dead === 0
        ? 'Nothing waits: all that was written is saved'
        : `${format.count(waiting)} waiting${oldestText(oldestAt)} · ${dead === 0 ? 'nothing has failed for good' : `${format.count(dead)} can't be saved`}`,
    blocks: [
      ...(dead === 0
        ? []
        : [
            {
              heading: "⚠️ Can't be saved",
              lines: shown.map((letter) => letterText(letter, format)),
              more: Math.max(0, dead - shown.length),
            },
          ]),
      {
        heading: 'Writers',
        lines:
          writers.length === 0
            ? [NOTHING]
            : writers.slice(0, WRITERS_SHOWN).map((writer) => writerText(writer, format)),
        more: Math.max(0, writers.length - WRITERS_SHOWN),
      },
    ],
    notes: [
      ...(dead === 0
        ? []
        : [
            `${mention('cache-writes')} with \`retry\` tries them again, with \`drop\` gives them up. Values are not shown.`,
          ]),
      journalText(figures, journals),
    ],
  };
}

function oldestText(oldestAt: number | null): string {
  return oldestAt === null ? '' : `, the oldest ${instant(oldestAt)}`;
}

/** For `/cache-info`. @param beside lines for shards that differ */
export function writeBehindBlock(
  figures: WriteBehindStats,
  format: Format,
  journals = 1,
  beside: readonly string[] = [],
): Block {
  const { waiting, oldestAt, saved, dead, writers } = figures;
  const retried = writers.reduce((sum, writer) => sum + writer.retried, 0);
  const last = lastFailure(figures);
  return {
    heading: '📮 Write-behind',
    lines: [
      `**Waiting:** ${format.count(waiting)}${oldestText(oldestAt)} · **Saved:** ${format.count(saved)} · **Failed attempts:** ${format.count(retried)} · **Can't be saved:** ${format.count(dead)}${dead === 0 ? '' : ' (see `/cache-writes`)'}`,
      ...beside,
      ...(last === undefined
        ? []
        : [`-# Last failure ${instant(last.at)}, of ${keyText(last.name, 32)}: ${errorText(last.message)}`]),
      `-# ${journalText(figures, journals)}`,
    ],
  };
}

/** For the overview. */
export function writeBehindLine(figures: WriteBehindStats, format: Format, mention: Mention): string {
  const trouble = writesTrouble(figures, format) ?? 'nothing waits';
  const look = figures.dead === 0 ? '' : ` (see ${mention('cache-writes')})`;
  return `**Write-behind:** ${trouble}${look} · ${format.count(figures.saved)} saved`;
}

function lastFailure({ writers }: WriteBehindStats) {
  return writers
    .flatMap(({ name, lastFailure }) => (lastFailure === null ? [] : [{ name, ...lastFailure }]))
    .reduce<{ name: string; message: string; at: number } | undefined>(
      (latest, one) => (latest === undefined || one.at > latest.at ? one : latest),
      undefined,
    );
}

/** `3 waiting, the oldest 2 min ago · 1 can't be saved`; `undefined` where nothing waits and nothing is wrong. */
export function writesTrouble(
  { waiting, dead, oldestAt, writers }: WriteBehindStats,
  format: Format,
): string | undefined {
  const held = writers.reduce((sum, writer) => sum + writer.held, 0);
  const parts = [
    ...(waiting > 0 ? [`${format.count(waiting)} waiting${oldestText(oldestAt)}`] : []),
    ...(held > 0 ? [`${format.count(held)} held behind others`] : []),
    ...(dead > 0 ? [`${format.count(dead)} can't be saved`] : []),
  ];
  return parts.length === 0 ? undefined : parts.join(' · ');
}

/** What an operator should know of it without asking. */
export function writeBehindNotices({ dead, writers }: WriteBehindStats, format: Format): string[] {
  const unclaimed = writers.filter(({ isClaimed }) => !isClaimed);
  const kept = unclaimed.reduce((sum, writer) => sum + writer.waiting + writer.dead, 0);
  return [
    ...(dead > 0 ? [`${plural(format, dead, 'write')} can't be saved: see \`/cache-writes list\`.`] : []),
    ...(kept > 0
      ? [
          `The journal keeps ${plural(format, kept, 'write')} of ${plural(format, unclaimed.length, 'writer')} that this bot does not have.`,
        ]
      : []),
  ];
}

export function retriedView(
  count: number,
  target: string,
  reference: string,
  format: Format,
  mention: Mention,
): View {
  return {
    tone: 'good',
    title: '🔁 Tried again',
    blocks: [
      {
        lines: [
          `**${plural(format, count, 'write')}** — ${targetText(target)} — ${count === 1 ? 'is' : 'are'} being saved again. ${mention('cache-writes')} with \`list\` tells what came of it.`,
        ],
      },
    ],
    notes: [`Reference ${reference}`],
  };
}

export interface DropModel {
  readonly target: string;
  readonly count: number;
  readonly letters: readonly Pick<Letter, 'id' | 'key' | 'shard'>[];
  readonly expiresAt: number;
}

export function dropQuestionView(
  { target, count, letters, expiresAt }: DropModel,
  format: Format,
  id: ControlId,
): View {
  return {
    tone: 'danger',
    title: '🗑️ Drop writes?',
    blocks: [
      {
        lines: [
          `${targetText(target)} → **${plural(format, count, 'write')}**, acknowledged and never saved.`,
          'They are lost for good: the database keeps what it says now.',
        ],
      },
      {
        heading: 'Keys',
        lines: letters
          .slice(0, LETTERS_SHOWN)
          .map((letter) => `\`${numberText(letter)}\` ${keyText(letter.key)}`),
        more: Math.max(0, count - Math.min(LETTERS_SHOWN, letters.length)),
      },
    ],
    notes: [`This question ends ${instant(expiresAt)}.`],
    rows: [
      [
        { id: id('cancel'), label: 'Cancel', style: 'secondary' },
        { id: id('confirm'), label: `Drop ${plural(format, count, 'write')}`, style: 'danger' },
      ],
    ],
  };
}

export function droppedView(count: number, target: string, reference: string, format: Format): View {
  const lines = [`**Dropped ${plural(format, count, 'write')}** — ${targetText(target)}.`];
  return { tone: 'good', title: '🗑️ Dropped', blocks: [{ lines }], notes: [`Reference ${reference}`] };
}

export function notDroppedView(why: string): View {
  return { tone: 'normal', title: TITLE, blocks: [{ lines: [why] }] };
}

/** Several shards have a write of this number. */
export function whichShardView(letters: readonly Letter[]): View {
  return {
    tone: 'degraded',
    title: TITLE,
    blocks: [
      {
        lines: [
          'More than one shard has a write of this number. Which is meant?',
          ...letters
            .slice(0, LETTERS_SHOWN)
            .map((letter) => `\`${numberText(letter)}\` ${keyText(letter.key)}`),
          'Nothing was changed.',
        ],
      },
    ],
  };
}

/** @param names of the writers there are */
export function noSuchWriteView(target: string, names: readonly string[]): View {
  const known = names.slice(0, WRITERS_SHOWN).map((name) => keyText(name, 32));
  const lines = [
    target === 'all'
      ? 'There is no write that could not be saved.'
      : `Nothing that could not be saved matches ${keyText(target)}.`,
    ...(known.length === 0 ? [] : [`Give \`all\`, the number of a write, or a writer: ${known.join(' ')}`]),
  ];
  return { tone: 'normal', title: TITLE, blocks: [{ lines }] };
}

function targetText(target: string): string {
  return target === 'all' ? 'Everything' : keyText(target);
}

function journalText({ journal, survives }: WriteBehindStats, journals: number): string {
  const what = survives === 'kill' ? 'a kill of the process' : 'a kill of the process and a power cut';
  const where = journals > 1 ? `${journals} journals, one a shard` : keyText(fileName(journal), 60);
  return `What is acknowledged survives ${what}, in ${where}.`;
}

/** `#7`; of several shards `2#7`, since each journal counts by itself. */
export function numberText({ id, shard }: Pick<Letter, 'id' | 'shard'>): string {
  return `${shard ?? ''}#${id}`;
}

function writerText(writer: WriterStats, format: Format): string {
  const { name, waiting, held, dead, saved, oldestAt, lastFailure } = writer;
  if (!writer.isClaimed) {
    return `**${keyText(name, 32)}** — ${plural(format, waiting + dead, 'write')} kept: this bot has no such writer`;
  }
  const parts = [`${format.count(waiting)} waiting${oldestText(oldestAt)}`, `${format.count(saved)} saved`];
  if (held > 0) parts.push(`${format.count(held)} held behind one that can't be saved`);
  if (dead > 0) parts.push(`${format.count(dead)} can't be saved`);
  if (lastFailure !== null)
    parts.push(`last failure ${instant(lastFailure.at)}: ${errorText(lastFailure.message)}`);
  return `**${keyText(name, 32)}** — ${parts.join(' · ')}`;
}

function letterText(letter: Letter, format: Format): string {
  const { name, key, error, attempts, deadAt } = letter;
  return `\`${numberText(letter)}\` ${keyText(key)} of ${keyText(name, 32)} — ${errorText(error)} · ${plural(format, attempts, 'attempt')}, given up ${instant(deadAt)}`;
}

function errorText(message: string): string {
  return keyText(shownError(message.split('\n', 1)[0] ?? ''), 80);
}

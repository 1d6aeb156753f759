/**
 * Write-behind in words: what waits to be saved, what could not be, and what was done about it. For `/cache-writes`, and
 * in short for `/cache-info`. What was written is not shown: it may be anybody's.
 */
import type { DeadLetter, WriteBehindFigures, WriterFigures } from '../../write-behind/types.ts';
import { type Format, instant, NOTHING, plural } from './format.ts';
import { keyText } from './key-text.ts';
import { fileName, withoutSecrets } from './redacted.ts';
import type { Block, ControlId, View } from './view.ts';

/** More would not fit on a phone. */
export const LETTERS_SHOWN = 10;
const WRITERS_SHOWN = 10;

const TITLE = '📮 Pending writes';

export interface WritesModel {
  readonly figures: WriteBehindFigures;
  /** Up to {@link LETTERS_SHOWN}. */
  readonly letters: readonly DeadLetter[];
  /** In a bot of several processes: each has a journal of its own. */
  readonly shard: string | undefined;
}

export function writesView({ figures, letters, shard }: WritesModel, format: Format): View {
  const { writers, dead } = figures;
  return {
    tone: dead > 0 ? 'degraded' : 'normal',
    title: TITLE,
    subtitle: `${journalText(figures)}${shard === undefined ? '' : ` · of ${shard} alone`}`,
    blocks: [
      {
        heading: 'Writers',
        lines:
          writers.length === 0
            ? [NOTHING]
            : writers.slice(0, WRITERS_SHOWN).map((writer) => writerText(writer, format)),
        more: Math.max(0, writers.length - WRITERS_SHOWN),
      },
      {
        heading: dead === 0 ? "✅ Can't be saved" : "⚠️ Can't be saved",
        lines: dead === 0 ? ['Nothing.'] : letters.map((letter) => letterText(letter, format)),
        more: Math.max(0, dead - letters.length),
      },
    ],
    notes:
      dead === 0
        ? []
        : [
            '`/cache-writes retry` tries them again, `/cache-writes drop` gives them up. Values are not shown.',
          ],
  };
}

/** For `/cache-info`. */
export function writeBehindBlock(figures: WriteBehindFigures, format: Format, shard?: string): Block {
  const { waiting, oldestAt, saved, dead, writers } = figures;
  const retried = writers.reduce((sum, writer) => sum + writer.retried, 0);
  const oldest = oldestAt === null ? '' : `, the oldest ${instant(oldestAt)}`;
  const last = writers
    .flatMap(({ name, lastFailure }) => (lastFailure === null ? [] : [{ name, ...lastFailure }]))
    .reduce<{ name: string; message: string; at: number } | undefined>(
      (latest, one) => (latest === undefined || one.at > latest.at ? one : latest),
      undefined,
    );
  return {
    heading: '📮 Write-behind',
    lines: [
      `**Waiting:** ${format.count(waiting)}${oldest} · **Saved:** ${format.count(saved)} · **Failed attempts:** ${format.count(retried)} · **Can't be saved:** ${format.count(dead)}${dead === 0 ? '' : ' (see `/cache-writes`)'}`,
      `-# ${journalText(figures)}${shard === undefined ? '' : ` · of ${shard} alone`}`,
      ...(last === undefined
        ? []
        : [`-# Last failure ${instant(last.at)}, of ${keyText(last.name, 32)}: ${errorText(last.message)}`]),
    ],
  };
}

/** What an operator should know of it without asking. */
export function writeBehindNotices({ dead, writers }: WriteBehindFigures, format: Format): string[] {
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

export function retriedView(count: number, target: string, reference: string, format: Format): View {
  return {
    tone: 'good',
    title: '🔁 Tried again',
    blocks: [
      {
        lines: [
          `**${plural(format, count, 'write')}** — ${targetText(target)} — ${count === 1 ? 'is' : 'are'} being saved again. \`/cache-writes list\` tells what came of it.`,
        ],
      },
    ],
    notes: [`Reference ${reference}`],
  };
}

export interface DropModel {
  readonly target: string;
  readonly count: number;
  readonly letters: readonly Pick<DeadLetter, 'id' | 'key'>[];
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
        lines: letters.map((letter) => `\`#${letter.id}\` ${keyText(letter.key)}`),
        more: Math.max(0, count - letters.length),
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

function journalText({ journal, survives }: WriteBehindFigures): string {
  const what = survives === 'kill' ? 'a kill of the process' : 'a kill of the process and a power cut';
  return `What is acknowledged survives ${what}, in ${keyText(fileName(journal), 60)}`;
}

function writerText(writer: WriterFigures, format: Format): string {
  const { name, waiting, held, dead, saved, oldestAt, lastFailure } = writer;
  if (!writer.isClaimed) {
    return `**${keyText(name, 32)}** — ${plural(format, waiting + dead, 'write')} kept: this bot has no such writer`;
  }
  const parts = [
    `${format.count(waiting)} waiting${oldestAt === null ? '' : `, the oldest ${instant(oldestAt)}`}`,
    `${format.count(saved)} saved`,
  ];
  if (held > 0) parts.push(`${format.count(held)} held behind one that can't be saved`);
  if (dead > 0) parts.push(`${format.count(dead)} can't be saved`);
  if (lastFailure !== null)
    parts.push(`last failure ${instant(lastFailure.at)}: ${errorText(lastFailure.message)}`);
  return `**${keyText(name, 32)}** — ${parts.join(' · ')}`;
}

function letterText({ id, name, key, error, attempts, deadAt }: DeadLetter, format: Format): string {
  return `\`#${id}\` ${keyText(key)} of ${keyText(name, 32)} — ${errorText(error)} · ${plural(format, attempts, 'attempt')}, given up ${instant(deadAt)}`;
}

function errorText(message: string): string {
  return keyText(withoutSecrets(message.split('\n', 1)[0] ?? ''), 80);
}

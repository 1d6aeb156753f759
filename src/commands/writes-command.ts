/**
 * `/cache-writes`: what write-behind has not saved yet, and what it could not save; that is retried, or given up after a
 * question. Dropped is exactly what was agreed to, by its ids. Of a bot in several processes all journals are meant.
 */

import {
  ApplicationCommandType,
  type AutocompleteInteraction,
  type ChatInputCommandInteraction,
  type MessageComponentInteraction,
} from 'discord.js';
import { ApplicationCommandOptionType } from 'discord-api-types/v10';
import { shownError } from '../logger/secrets.ts';
import type { WriteBehind, WriteBehindStats } from '../write-behind/types.ts';
import { answer, defer, deferUpdate, update } from './answer.ts';
import type { AdminCommand, CommandServices } from './command.ts';
import { type Choice, Offered, respond } from './completion.ts';
import { onRecord } from './on-record.ts';
import { openPress } from './press.ts';
import { CONFIRM_LIFE_MS, type Session, Sessions } from './sessions.ts';
import { answers, shardsOnRecord } from './shards/everywhere.ts';
import { mergeWrites } from './shards/merge-writes.ts';
import type { ShardReply } from './shards/shards.ts';
import { actEverywhere, findEverywhere, rowsOf, type WritesRows } from './shards/writes-everywhere.ts';
import { type TakenTurn, takeTurn } from './turn.ts';
import { formatFor } from './views/format.ts';
import { plainText } from './views/key-text.ts';
import { withActedRows, withWritesRows } from './views/shards.ts';
import { alreadyDone } from './views/states.ts';
import {
  droppedView,
  dropQuestionView,
  type Letter,
  noSuchWriteView,
  notDroppedView,
  numberText,
  retriedView,
  whichShardView,
  writesView,
} from './views/writes.ts';
import type { FoundWrites, WhichWrites } from './writes-lookup.ts';

/** Discord takes 25 choices of 100 characters. */
const CHOICES = 25;
const CHOICE_LENGTH = 100;
/** Completion has three seconds in all. */
const COMPLETION_LIMIT_MS = 1_500;

interface Question {
  readonly target: string;
  /** Exactly what was shown. */
  readonly found: WritesRows;
  /** Given back when nothing is dropped. */
  readonly turn: TakenTurn;
}

/** What a command or press is about, with the write-behind at hand. */
interface Desk {
  readonly services: CommandServices;
  readonly writeBehind: WriteBehind;
}

const WHICH = {
  type: ApplicationCommandOptionType.String as const,
  name: 'which',
  description: 'all, the name of a writer, or the number of a write',
  autocomplete: true as const,
  required: true,
};

/** What a choice stands for, and how the audit log and replies call it. */
interface Named {
  readonly which: WhichWrites;
  readonly text: string;
}

export function writesCommand(): AdminCommand {
  const offered = new Offered<Named>();
  const questions = new Sessions<Question>('cache-writes');
  return {
    name: 'cache-writes',
    data: {
      name: 'cache-writes',
      description: 'See what waits to be saved, and retry or drop what could not be',
      type: ApplicationCommandType.ChatInput,
      default_member_permissions: '0',
      options: [
        {
          type: ApplicationCommandOptionType.Subcommand,
          name: 'list',
          description: 'See what waits to be saved, and what could not be',
        },
        {
          type: ApplicationCommandOptionType.Subcommand,
          name: 'retry',
          description: 'Try again to save what could not be saved',
          options: [WHICH],
        },
        {
          type: ApplicationCommandOptionType.Subcommand,
          name: 'drop',
          description: 'Give up what could not be saved; it is lost',
          options: [WHICH],
        },
      ],
    },
    isCostly: (interaction) => interaction.options.getSubcommand() !== 'list',
    async execute(interaction, services) {
      const desk = deskOf(services);
      switch (interaction.options.getSubcommand()) {
        case 'retry':
          return retry(interaction, named(interaction, offered), desk);
        case 'drop':
          return ask(interaction, named(interaction, offered), desk, questions);
        default:
          return list(interaction, desk);
      }
    },
    autocomplete: async (interaction, services) =>
      respond(interaction, await choices(interaction, deskOf(services), offered), services),
    async component(interaction, parts, services) {
      const press = await openPress('cache-writes', questions, interaction, parts, services);
      if (press === undefined) return;
      await drop(press.interaction, press.action, press.session, deskOf(services), questions);
    },
    stop: () => questions.stop(),
  };
}

/** The command exists only where there is one. */
function deskOf(services: CommandServices): Desk {
  const { writeBehind } = services;
  if (writeBehind === undefined) throw new TypeError('/cache-writes needs a write-behind.');
  return { services, writeBehind };
}

async function list(interaction: ChatInputCommandInteraction, desk: Desk): Promise<void> {
  const { services } = desk;
  if (services.shards !== undefined && !(await defer(interaction, services))) return;
  const rows = await findEverywhere(services, desk.writeBehind, 'all');
  const figures = figuresOf(rows, desk);
  onRecord(interaction, services, 'cache-writes', {
    action: 'view',
    target: 'list',
    outcome: `${figures.waiting} waiting, ${figures.dead} not saved${shardsOnRecord(rowsOf(services, rows))}`,
  });
  const format = formatFor(interaction.locale);
  const model = { figures, letters: lettersOf(rows, services), journals: founds(rows).length };
  const view = writesView(model, format, services.mention);
  await answer(interaction, withWritesRows(view, rowsOf(services, rows), format), services);
}

/** What was found, or `undefined` where the person has been told that there is nothing, or too much. */
async function findTyped(
  interaction: ChatInputCommandInteraction,
  action: 'retry' | 'drop',
  { which, text: target }: Named,
  { services, writeBehind }: Desk,
): Promise<{ readonly rows: WritesRows; readonly turn: TakenTurn } | undefined> {
  if (services.shards !== undefined && !(await defer(interaction, services))) return undefined;
  const rows = await findEverywhere(services, writeBehind, which);
  const found = founds(rows).filter(({ count }) => count > 0);
  const isUnclear = found.length > 1 && found.some(({ isByNumber }) => isByNumber);
  if (found.length > 0 && !isUnclear) {
    const turn = await takeTurn(interaction, 'cache-writes', services);
    return turn && { rows, turn };
  }
  const outcome = `${isUnclear ? 'more than one shard has it' : 'nothing matched'}${shardsOnRecord(rowsOf(services, rows))}`;
  onRecord(interaction, services, 'cache-writes', { action, target, outcome });
  const view = isUnclear
    ? whichShardView(lettersOf(rows, services))
    : noSuchWriteView(target, namesOf(rows, { services, writeBehind }));
  const format = formatFor(interaction.locale);
  // A shard that does not answer may have it.
  await answer(interaction, withWritesRows(view, rowsOf(services, rows), format), services);
  return undefined;
}

async function retry(interaction: ChatInputCommandInteraction, wanted: Named, desk: Desk): Promise<void> {
  const { services, writeBehind } = desk;
  const found = await findTyped(interaction, 'retry', wanted, desk);
  if (found === undefined) return;
  const target = wanted.text;
  const rows = await actEverywhere(services, writeBehind, 'retry', found.rows);
  const count = sumOf(rows);
  const { reference } = onRecord(interaction, services, 'cache-writes', {
    action: 'retry',
    target,
    outcome: `${writesText(count)}${shardsOnRecord(rowsOf(services, rows))}`,
  });
  const format = formatFor(interaction.locale);
  const view = retriedView(count, target, reference, format, services.mention);
  await answer(
    interaction,
    withActedRows(view, rowsOf(services, rows), 'being saved again', format),
    services,
  );
}

async function ask(
  interaction: ChatInputCommandInteraction,
  wanted: Named,
  desk: Desk,
  questions: Sessions<Question>,
): Promise<void> {
  const { services } = desk;
  const typedWrites = await findTyped(interaction, 'drop', wanted, desk);
  if (typedWrites === undefined) return;
  const { rows: found, turn } = typedWrites;
  const target = wanted.text;
  const session = questions.open({
    clock: services.cache.clock,
    userId: interaction.user.id,
    lifeMs: CONFIRM_LIFE_MS,
    state: { target, found, turn },
    onExpire: () => {
      turn.giveBack?.();
      // `answer` logs what fails and never rejects.
      void answer(interaction, notDroppedView('Not confirmed in 60 s. Nothing was dropped.'), services);
    },
  });
  const format = formatFor(interaction.locale);
  const count = founds(found).reduce((sum, one) => sum + one.count, 0);
  const model = { target, count, letters: lettersOf(found, services), expiresAt: session.expiresAt };
  const view = dropQuestionView(model, format, session.id);
  await answer(interaction, withWritesRows(view, rowsOf(services, found), format), services);
}

/** What a press finds while another one is acted upon. */
const BEING_DROPPED = 'These writes are being dropped.';

async function drop(
  interaction: MessageComponentInteraction,
  action: string,
  session: Session<Question>,
  { services, writeBehind }: Desk,
  questions: Sessions<Question>,
): Promise<void> {
  const { clock } = services.cache;
  const { target, found } = session.state;
  if (action !== 'confirm') {
    if (!questions.end(session, clock, 'Cancelled. Nothing was dropped.')) {
      await answer(interaction, alreadyDone(BEING_DROPPED), services);
      return;
    }
    session.state.turn.giveBack?.();
    await update(interaction, notDroppedView('Cancelled. Nothing was dropped.'), services);
    return;
  }
  if (!questions.end(session, clock, BEING_DROPPED)) {
    await answer(interaction, alreadyDone(BEING_DROPPED), services);
    return;
  }
  if (services.shards !== undefined && !(await deferUpdate(interaction, services))) return;
  const rows = await actEverywhere(services, writeBehind, 'drop', found);
  const count = sumOf(rows);
  questions.end(session, clock, `Dropped ${writesText(count)}.`);
  const { reference } = onRecord(interaction, services, 'cache-writes', {
    action: 'drop',
    target,
    outcome: `${writesText(count)}${shardsOnRecord(rowsOf(services, rows))}`,
  });
  const format = formatFor(interaction.locale);
  const view = droppedView(count, target, reference, format);
  await update(interaction, withActedRows(view, rowsOf(services, rows), 'dropped', format), services);
}

function founds(rows: WritesRows): FoundWrites[] {
  return answers(rows).filter((found) => found !== null);
}

function figuresOf(rows: WritesRows, { writeBehind }: Desk): WriteBehindStats {
  return mergeWrites(founds(rows).map(({ figures }) => figures)) ?? writeBehind.stats();
}

/** The oldest first, each with its shard where there are several. */
function lettersOf(rows: WritesRows, { shards }: Pick<CommandServices, 'shards'>): Letter[] {
  return rows
    .flatMap((row) => (row.ok && row.value !== null ? row.value.letters.map((one) => ({ row, one })) : []))
    .map(({ row, one }) => (shards === undefined ? one : { ...one, shard: row.shard }))
    .sort((a, b) => a.deadAt - b.deadAt || a.id - b.id);
}

function sumOf(rows: readonly ShardReply<number>[]): number {
  return answers(rows).reduce((sum, count) => sum + count, 0);
}

/** What was picked, or what was typed. */
function named(interaction: ChatInputCommandInteraction, offered: Offered<Named>): Named {
  const typed = interaction.options.getString('which', true);
  return offered.resolve(typed) ?? { which: typed.trim(), text: typed.trim() };
}

async function choices(
  interaction: AutocompleteInteraction,
  desk: Desk,
  offered: Offered<Named>,
): Promise<Choice[]> {
  const text = interaction.options.getFocused().trim().toLowerCase();
  const { services, writeBehind } = desk;
  const rows = await findEverywhere(services, writeBehind, 'all', COMPLETION_LIMIT_MS);
  const { writers, dead } = figuresOf(rows, desk);
  const valueOfWriter = (name: string) =>
    offered.offer(name, { which: { writer: name }, text: name }, name !== 'all');
  const valueOfLetter = (letter: Letter) => {
    const text = numberText(letter);
    const which = { number: letter.id, shard: letter.shard };
    return offered.offer(text, { which, text }, !writers.some(({ name }) => name === text));
  };
  const all = [
    ...(dead > 0 ? [{ name: `all (${dead})`, value: 'all' }] : []),
    ...writers
      .filter(({ dead, isClaimed }) => dead > 0 || !isClaimed)
      .map(({ name, dead, waiting, isClaimed }) => ({
        name: `${name} (${isClaimed ? dead : dead + waiting})`,
        value: valueOfWriter(name),
      })),
    ...lettersOf(rows, services).map((letter) => ({
      name: `${numberText(letter)} ${letter.key}: ${shownError(letter.error)}`,
      value: valueOfLetter(letter),
    })),
  ];
  return all
    .filter(({ name }) => name.toLowerCase().includes(text))
    .slice(0, CHOICES)
    .map(({ name, value }) => ({ name: plainText(name, CHOICE_LENGTH), value }));
}

function namesOf(rows: WritesRows, desk: Desk): string[] {
  return figuresOf(rows, desk)
    .writers.filter(({ dead, isClaimed }) => dead > 0 || !isClaimed)
    .map(({ name }) => name);
}

function writesText(count: number): string {
  return `${count} ${count === 1 ? 'write' : 'writes'}`;
}

/**
 * `/cache-writes`: what write-behind has not saved yet, and what it could not save; that is retried, or given up after a
 * question. Dropped is exactly what was agreed to, by its ids.
 */
import {
  ApplicationCommandOptionType,
  ApplicationCommandType,
  type AutocompleteInteraction,
  type ChatInputCommandInteraction,
  type MessageComponentInteraction,
} from 'discord.js';
import type { DeadLetter, DeadSelection, WriteBehind } from '../write-behind/types.ts';
import { answer, update } from './answer.ts';
import type { AdminCommand, CommandServices } from './command.ts';
import { type Choice, respond } from './completion.ts';
import { onRecord } from './on-record.ts';
import { openPress } from './press.ts';
import { CONFIRM_LIFE_MS, type Session, Sessions } from './sessions.ts';
import { formatFor } from './views/format.ts';
import { plainText } from './views/key-text.ts';
import {
  droppedView,
  dropQuestionView,
  LETTERS_SHOWN,
  noSuchWriteView,
  notDroppedView,
  retriedView,
  writesView,
} from './views/writes.ts';

/** Discord takes 25 choices of 100 characters. */
const CHOICES = 25;
const CHOICE_LENGTH = 100;
/** More than any list is allowed to hold by default. */
const MOST_LETTERS = 100_000;

interface Question {
  readonly target: string;
  readonly selection: DeadSelection;
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

export function writesCommand(): AdminCommand {
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
          return retry(interaction, desk);
        case 'drop':
          return ask(interaction, desk, questions);
        default:
          return list(interaction, desk);
      }
    },
    autocomplete: (interaction, services) =>
      respond(interaction, choices(interaction, deskOf(services).writeBehind), services),
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

async function list(
  interaction: ChatInputCommandInteraction,
  { services, writeBehind }: Desk,
): Promise<void> {
  const figures = writeBehind.figures();
  onRecord(interaction, services, 'cache-writes', {
    action: 'view',
    target: 'list',
    outcome: `${figures.waiting} waiting, ${figures.dead} not saved`,
  });
  const shard = services.shards === undefined ? undefined : `shard ${services.shards.own}`;
  const letters = writeBehind.list({ limit: LETTERS_SHOWN });
  await answer(interaction, writesView({ figures, letters, shard }, formatFor(interaction.locale)), services);
}

async function retry(
  interaction: ChatInputCommandInteraction,
  { services, writeBehind }: Desk,
): Promise<void> {
  const target = typed(interaction);
  const found = select(target, writeBehind);
  const count = found === undefined ? 0 : writeBehind.retry(found.selection);
  const { reference } = onRecord(interaction, services, 'cache-writes', {
    action: 'retry',
    target,
    outcome: count === 0 ? 'nothing matched' : writesText(count),
  });
  const format = formatFor(interaction.locale);
  const view =
    count === 0
      ? noSuchWriteView(target, namesOf(writeBehind))
      : retriedView(count, target, reference, format);
  await answer(interaction, view, services);
}

async function ask(
  interaction: ChatInputCommandInteraction,
  { services, writeBehind }: Desk,
  questions: Sessions<Question>,
): Promise<void> {
  const target = typed(interaction);
  const found = select(target, writeBehind);
  if (found === undefined) {
    onRecord(interaction, services, 'cache-writes', { action: 'drop', target, outcome: 'nothing matched' });
    await answer(interaction, noSuchWriteView(target, namesOf(writeBehind)), services);
    return;
  }
  const session = questions.open({
    clock: services.cache.clock,
    userId: interaction.user.id,
    lifeMs: CONFIRM_LIFE_MS,
    state: { target, selection: found.selection },
    // `answer` logs what fails and never rejects.
    onExpire: () =>
      void answer(interaction, notDroppedView('Not confirmed in 60 s. Nothing was dropped.'), services),
  });
  const letters = found.letters.slice(0, LETTERS_SHOWN);
  const model = { target, count: found.count, letters, expiresAt: session.expiresAt };
  await answer(interaction, dropQuestionView(model, formatFor(interaction.locale), session.id), services);
}

async function drop(
  interaction: MessageComponentInteraction,
  action: string,
  session: Session<Question>,
  { services, writeBehind }: Desk,
  questions: Sessions<Question>,
): Promise<void> {
  const { clock } = services.cache;
  const { target, selection } = session.state;
  if (action !== 'confirm') {
    questions.end(session, clock, 'Cancelled. Nothing was dropped.');
    await update(interaction, notDroppedView('Cancelled. Nothing was dropped.'), services);
    return;
  }
  // Nothing is awaited between the press and the drop, so a second press finds it over.
  const count = writeBehind.drop(selection);
  questions.end(session, clock, `Dropped ${writesText(count)}.`);
  const { reference } = onRecord(interaction, services, 'cache-writes', {
    action: 'drop',
    target,
    outcome: writesText(count),
  });
  await update(interaction, droppedView(count, target, reference, formatFor(interaction.locale)), services);
}

interface Found {
  readonly selection: DeadSelection;
  readonly count: number;
  readonly letters: readonly DeadLetter[];
}

/** What the text means now; `undefined` when it is nothing that could not be saved. */
function select(target: string, writeBehind: WriteBehind): Found | undefined {
  const writer = writeBehind.figures().writers.find(({ name }) => name === target);
  if (writer?.isClaimed === false) {
    // Nobody adds to it, so its name stands for what it holds now.
    const count = writer.waiting + writer.dead;
    return { selection: { name: target }, count, letters: writeBehind.list({ name: target }) };
  }
  const all = writeBehind.list({ limit: MOST_LETTERS });
  const number = Number(target.replace(/^#/, ''));
  const letters = all.filter(({ id, name }) => target === 'all' || name === target || id === number);
  if (letters.length === 0) return undefined;
  return { selection: letters.map(({ id }) => id), count: letters.length, letters };
}

function typed(interaction: ChatInputCommandInteraction): string {
  return interaction.options.getString('which', true).trim();
}

function choices(interaction: AutocompleteInteraction, writeBehind: WriteBehind): Choice[] {
  const text = interaction.options.getFocused().trim().toLowerCase();
  const { writers, dead } = writeBehind.figures();
  const offered = [
    ...(dead > 0 ? [{ name: `all (${dead})`, value: 'all' }] : []),
    ...writers
      .filter(({ dead, isClaimed }) => dead > 0 || !isClaimed)
      .map(({ name, dead, waiting, isClaimed }) => ({
        name: `${name} (${isClaimed ? dead : dead + waiting})`,
        value: name,
      })),
    ...writeBehind
      .list({ limit: CHOICES })
      .map(({ id, key, error }) => ({ name: `#${id} ${key}: ${error}`, value: `#${id}` })),
  ];
  return offered
    .filter(({ name }) => name.toLowerCase().includes(text))
    .slice(0, CHOICES)
    .map(({ name, value }) => ({ name: plainText(name, CHOICE_LENGTH), value }));
}

function namesOf(writeBehind: WriteBehind): string[] {
  return writeBehind
    .figures()
    .writers.filter(({ dead, isClaimed }) => dead > 0 || !isClaimed)
    .map(({ name }) => name);
}

function writesText(count: number): string {
  return `${count} ${count === 1 ? 'write' : 'writes'}`;
}

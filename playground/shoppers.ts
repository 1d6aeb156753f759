/**
 * Simulated shoppers: members who use the shop's commands at a natural rhythm, so that the cache has something to do.
 * They read the commands' definitions as a client does, and choose by Zipf's law: a few things are wanted often,
 * most are wanted rarely. Which commands exist is the bot's business.
 */
import { type APIApplicationCommandBasicOption, ButtonStyle, ComponentType } from 'discord-api-types/v10';
import type { Logger } from '../src/logger.ts';
import type { LocalDiscord } from './discord/local-discord.ts';
import type { OptionValue, Session, VisibleCommand } from './discord/types.ts';
import type { ShopperStatus } from './protocol.ts';

/** How often each command is wanted, against the others. Buying is rare, looking is not. */
const APPETITE: Readonly<Record<string, number>> = {
  shop: 10,
  wallet: 4,
  orders: 3,
  leaderboard: 3,
  buy: 1.5,
};

/** The mean pause between two commands at speed 1. */
const MEAN_PAUSE_MS = 700;

/** How likely it is that a pause is cut short: shoppers come in bursts. */
const BURST = 0.35;

/** How often a shopper goes on with what an answer offers first, such as the day's credit or a purchase. */
const PRESSES = 0.7;

/** Bots have so many rate limits that more would only pile up. */
const MOST_IN_FLIGHT = 20;

const OPTION = { string: 3, integer: 4, boolean: 5, user: 6, number: 10 } as const;

export interface ShoppersOptions {
  readonly local: LocalDiscord;
  readonly logger: Logger;
  readonly onStatus: (status: ShopperStatus) => void;
  /** From 0 up to 1. @default Math.random */
  readonly random?: () => number;
}

export class Shoppers {
  readonly #options: ShoppersOptions;
  readonly #random: () => number;
  #timer: NodeJS.Timeout | null = null;
  #speed = 1;
  #commands = 0;
  #inFlight = 0;

  constructor(options: ShoppersOptions) {
    this.#options = options;
    this.#random = options.random ?? Math.random;
  }

  get status(): ShopperStatus {
    return {
      isOn: this.#timer !== null,
      speed: this.#speed,
      people: this.#options.local.world.shoppers.length,
      commands: this.#commands,
    };
  }

  set(isOn: boolean, speed: number): void {
    this.stop();
    this.#speed = speed;
    if (isOn) this.#next();
    this.#options.onStatus(this.status);
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** One shopper runs one command. @returns whether there was one to run */
  async step(): Promise<boolean> {
    const { local } = this.#options;
    const { world } = local;
    const shopper = world.shoppers[Math.floor(this.#random() * world.shoppers.length)];
    if (shopper === undefined || !local.isBotOnline) return false;
    const session = local.as(shopper.id);
    const command = this.#choose(session.guildCommands(world.home.id));
    if (command === undefined) return false;
    const options = await this.#fill(session, command);
    if (options === null) return false;
    this.#commands += 1;
    const interaction = await session.run(world.channels.shop, command.name, options);
    const reply = await interaction.reply();
    const button = primaryButton(reply.components);
    if (button !== undefined && this.#random() < PRESSES) await session.click(reply.id, button);
    return true;
  }

  #next(): void {
    const calm = -Math.log(1 - this.#random()) * MEAN_PAUSE_MS;
    const pauseMs = (this.#random() < BURST ? calm / 8 : calm * 1.3) / this.#speed;
    this.#timer = setTimeout(() => {
      this.#next();
      if (this.#inFlight >= MOST_IN_FLIGHT) return;
      this.#inFlight += 1;
      this.step()
        .catch((error: unknown) => this.#options.logger.debug('a shopper had no answer', { error }))
        .finally(() => {
          this.#inFlight -= 1;
        });
    }, pauseMs);
  }

  #choose(commands: readonly VisibleCommand[]): VisibleCommand | undefined {
    const wanted = commands.filter(({ name }) => name in APPETITE);
    let left = this.#random() * wanted.reduce((sum, { name }) => sum + (APPETITE[name] ?? 0), 0);
    for (const command of wanted) {
      left -= APPETITE[command.name] ?? 0;
      if (left <= 0) return command;
    }
    return undefined;
  }

  /** Values for the required options, and for some of the others. `null` where there is none to give. */
  async #fill(session: Session, command: VisibleCommand): Promise<Record<string, OptionValue> | null> {
    const values: Record<string, OptionValue> = {};
    for (const option of (command.options ?? []) as readonly APIApplicationCommandBasicOption[]) {
      if (option.required !== true && this.#random() < 0.5) continue;
      const value = await this.#value(session, command, option, values);
      if (value !== undefined) values[option.name] = value;
      else if (option.required === true) return null;
    }
    return values;
  }

  async #value(
    session: Session,
    command: VisibleCommand,
    option: APIApplicationCommandBasicOption,
    values: Readonly<Record<string, OptionValue>>,
  ): Promise<OptionValue | undefined> {
    const { world } = this.#options.local;
    if ('choices' in option && option.choices && option.choices.length > 0) {
      return this.#zipf<{ value: OptionValue }>(option.choices)?.value;
    }
    if ('autocomplete' in option && option.autocomplete === true) {
      const offered = await session.autocomplete(world.channels.shop, command.name, values, option.name);
      return this.#zipf(offered)?.value;
    }
    if (option.type === OPTION.user) return this.#zipf(world.shoppers)?.id;
    if (option.type === OPTION.integer) return ('min_value' in option ? option.min_value : undefined) ?? 1;
    if (option.type === OPTION.boolean) return this.#random() < 0.5;
    return undefined;
  }

  /** The n-th is wanted 1/n times as often as the first. */
  #zipf<Item>(items: readonly Item[]): Item | undefined {
    let left = this.#random() * items.reduce((sum, _, nth) => sum + 1 / (nth + 1), 0);
    for (const [nth, item] of items.entries()) {
      left -= 1 / (nth + 1);
      if (left <= 0) return item;
    }
    return items[0];
  }
}

/** The `custom_id` of the first enabled primary button, wherever in the message it lies. */
function primaryButton(components: unknown): string | undefined {
  if (!Array.isArray(components)) return undefined;
  for (const component of components as readonly Readonly<Record<string, unknown>>[]) {
    const { type, style, disabled, custom_id: customId } = component;
    const isPrimary = type === ComponentType.Button && style === ButtonStyle.Primary && disabled !== true;
    if (isPrimary && typeof customId === 'string') return customId;
    const within =
      primaryButton(component.components) ?? primaryButton(component.accessory && [component.accessory]);
    if (within !== undefined) return within;
  }
  return undefined;
}

/**
 * What each answer that a person got has cost: how long they waited, and how many statements the shop's database was
 * asked. The time is taken here, where the person is; the statements are what the bot tells of them.
 */
import type { LocalInteraction } from './discord/types.ts';

export interface AnswerCost {
  readonly messageId: string;
  readonly ms: number;
  readonly queries: number;
}

/** As many answers, and more, are kept of a channel. */
const MOST = 500;

export class AnswerCosts {
  readonly #onCost: (cost: AnswerCost) => void;
  readonly #queries = new Map<string, number>();
  readonly #byInteraction = new Map<string, AnswerCost>();

  constructor(onCost: (cost: AnswerCost) => void) {
    this.#onCost = onCost;
  }

  /** Of each message the last; a press may have changed it. */
  get all(): readonly AnswerCost[] {
    const byMessage = new Map([...this.#byInteraction.values()].map((cost) => [cost.messageId, cost]));
    return [...byMessage.values()];
  }

  /** Called as soon as the interaction is on its way. */
  follow(interaction: LocalInteraction): void {
    const beganAt = performance.now();
    interaction.reply().then(
      ({ id: messageId }) =>
        this.#keep(interaction.id, {
          messageId,
          ms: performance.now() - beganAt,
          queries: this.#queries.get(interaction.id) ?? 0,
        }),
      () => undefined, // its failure is told as an event
    );
  }

  /** How many statements an interaction has cost so far: may come before its answer is known, and after. */
  queried(interactionId: string, queries: number): void {
    put(this.#queries, interactionId, queries);
    const cost = this.#byInteraction.get(interactionId);
    if (cost !== undefined) this.#keep(interactionId, { ...cost, queries });
  }

  #keep(interactionId: string, cost: AnswerCost): void {
    put(this.#byInteraction, interactionId, cost);
    this.#onCost(cost);
  }
}

/** The oldest leaves. */
function put<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > MOST && oldest !== undefined) map.delete(oldest);
}

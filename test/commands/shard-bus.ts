/** The processes of a sharded bot in one: what they say to each other goes through JSON, as between processes. */
import { ShardDesk } from '../../src/commands/shards/shard-desk.ts';
import {
  type ShardAnswer,
  type ShardLink,
  type ShardMessage,
  ShardUnreachable,
} from '../../src/commands/shards/shard-link.ts';
import { Shards } from '../../src/commands/shards/shards.ts';
import { type Desk, desk } from './desk.ts';

type Answer = (message: ShardMessage) => Promise<ShardAnswer>;

export class ShardBus {
  readonly count: number;
  readonly messages: ShardMessage[] = [];
  /** What goes wrong on the way to a shard. */
  readonly faults = new Map<number, 'frozen' | 'dead' | 'odd'>();
  readonly #answers = new Map<number, Answer>();

  constructor(count: number) {
    this.count = count;
  }

  link(id: number): ShardLink {
    const all = Array.from({ length: this.count }, (_, shard) => shard);
    return {
      ids: [id],
      count: this.count,
      others: all.filter((shard) => shard !== id),
      request: async (shard, message) => {
        this.messages.push(message);
        const fault = this.faults.get(shard);
        if (fault === 'dead') throw new ShardUnreachable('is not running');
        if (fault === 'odd') throw new Error('a wire is loose');
        if (fault === 'frozen') return new Promise(() => undefined);
        const answer = await this.#answers.get(shard)?.(throughJson(message));
        return answer === undefined ? undefined : throughJson(answer);
      },
      subscribe: (answer) => {
        this.#answers.set(id, answer);
        return () => void this.#answers.delete(id);
      },
    };
  }
}

function throughJson<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

export interface ShardedDesk extends Desk {
  /** Takes it off the bus, as a process does that stops. */
  leave(): void;
}

/** A desk in each of so many processes. */
export function shardedDesks(
  count: number,
  options: { readonly version?: (id: number) => string; readonly desk?: Parameters<typeof desk> } = {},
): { readonly bus: ShardBus; readonly desks: readonly ShardedDesk[] } {
  const bus = new ShardBus(count);
  const desks = Array.from({ length: count }, (_, id): ShardedDesk => {
    const one = desk(...(options.desk ?? []));
    const { clock, services } = one;
    const version = options.version?.(id) ?? '1.0.0';
    const shards = new Shards({ link: bus.link(id), clock, logger: services.logger, version });
    const answering = new ShardDesk(services, () => 1);
    const leave = shards.serve(async (question, from) =>
      question.topic === 'forget' ? undefined : answering.answer(question, from),
    );
    return Object.assign(one, { services: Object.assign(services, { shards }), leave });
  });
  return { bus, desks };
}

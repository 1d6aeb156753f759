/** Forgetting in a bot's other processes, some of which do not answer. */
import { describe, expect, it } from 'vitest';
import { ForgetElsewhere } from '../../src/commands/shards/forget-elsewhere.ts';
import { Shards } from '../../src/commands/shards/shards.ts';
import type { Logger } from '../../src/logger.ts';
import { silentLogger } from '../../src/logger.ts';
import { handClock } from '../support/hand-clock.ts';
import { ShardBus } from './shard-bus.ts';

const MINUTE_MS = 60_000;
const QUESTION = { kind: 'guild', id: '42', also: [] } as const;

/** The first of three processes; the others tell whom they have forgotten. */
function three() {
  const bus = new ShardBus(3);
  const clock = handClock();
  const said: string[] = [];
  const forgotten: Record<number, number> = { 1: 0, 2: 0 };
  const shardsOf = (id: number) =>
    new Shards({ link: bus.link(id), clock, logger: silentLogger, version: '1.0.0' });
  for (const id of [1, 2]) {
    shardsOf(id).serve(async () => {
      forgotten[id] = (forgotten[id] ?? 0) + 1;
      return { entries: 1 };
    });
  }
  const logger: Logger = { ...silentLogger, warn: (message: string) => void said.push(message) };
  return { bus, clock, said, forgotten, elsewhere: new ForgetElsewhere(shardsOf(0), clock, logger) };
}

describe('a shard that does not answer when somebody is to be forgotten', () => {
  it('is asked again every minute until it does, and the others are not', async () => {
    const { bus, clock, said, forgotten, elsewhere } = three();
    bus.faults.set(2, 'dead');
    expect((await elsewhere.ask(QUESTION)).map(({ ok }) => ok)).toEqual([true, false]);
    expect(said).toEqual([expect.stringContaining('asked again')]);
    await clock.advanceAsync(3 * MINUTE_MS);
    expect(forgotten).toEqual({ 1: 1, 2: 0 });
    bus.faults.clear();
    await clock.advanceAsync(MINUTE_MS);
    expect(forgotten).toEqual({ 1: 1, 2: 1 });
    expect(clock.pendingTimers).toBe(0);
  });

  it('is given up after an hour, and that is said', async () => {
    const { bus, clock, said, elsewhere } = three();
    bus.faults.set(1, 'frozen');
    const asked = elsewhere.ask(QUESTION);
    await clock.advanceAsync(5_000);
    await asked;
    await clock.advanceAsync(70 * MINUTE_MS);
    expect(said).toEqual([
      expect.stringContaining('asked again'),
      expect.stringContaining('start them anew'),
    ]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('I13: is asked no more once the bot stops', async () => {
    const { bus, clock, elsewhere } = three();
    bus.faults.set(1, 'dead');
    await elsewhere.ask(QUESTION);
    elsewhere.stop();
    expect(clock.pendingTimers).toBe(0);
    const { length } = bus.messages;
    await clock.advanceAsync(5 * MINUTE_MS);
    expect(bus.messages).toHaveLength(length);
  });
});

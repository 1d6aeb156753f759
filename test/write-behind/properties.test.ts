/** I10 under any interleaving of writes, failures, crashes and decisions. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SaveItem, Writer } from '../../src/write-behind/types.ts';
import { bench } from './support.ts';

const KEYS = ['user::1', 'user::2', 'user::3'] as const;

type Step =
  | { readonly do: 'write'; readonly key: string }
  | { readonly do: 'break' | 'mend' | 'crash' | 'crash after the save' | 'retry' | 'invalidate' }
  | { readonly do: 'wait'; readonly ms: number };

const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...KEYS).map((key): Step => ({ do: 'write', key })) },
    { weight: 4, arbitrary: fc.constantFrom(0, 1, 50, 300, 2_000).map((ms): Step => ({ do: 'wait', ms })) },
    {
      weight: 4,
      arbitrary: fc
        .constantFrom('break', 'mend', 'crash', 'crash after the save', 'retry', 'invalidate')
        .map((what): Step => ({ do: what }) as Step), // each of these has no more to it
    },
  ),
  { maxLength: 30 },
);

/** A source that outlives the processes, and applies each idempotency key once. */
function lastingSource() {
  const values = new Map<string, number>();
  const applied: SaveItem<number>[] = [];
  const seen = new Set<string>();
  const state = { isBroken: false, dieAfterNext: false, generation: 0 };
  return { values, applied, seen, state };
}

async function run(plan: readonly Step[], coalesce: boolean): Promise<void> {
  const shop = lastingSource();
  const { state } = shop;
  let made = bench();
  const begin = (): Writer<number> => {
    const generation = ++state.generation;
    return made.behind.writeBehind<number>(
      'n',
      async (batch) => {
        await Promise.resolve();
        if (generation !== state.generation) throw new Error('this process is dead');
        if (state.isBroken) throw new Error('down');
        for (const item of batch) {
          if (shop.seen.has(item.idempotencyKey)) continue;
          shop.seen.add(item.idempotencyKey);
          shop.applied.push(item);
          shop.values.set(item.key, item.value);
        }
        if (state.dieAfterNext) crash();
      },
      { coalesce, maxAttempts: 3, maxBatch: 2, concurrency: 2, maxDelayMs: 20 },
    );
  };
  const crash = () => {
    state.dieAfterNext = false;
    state.generation++;
    made.die();
  };
  const revive = () => {
    if (made.db.open) return;
    made = bench(made.file);
    write = begin();
  };
  let write = begin();
  const acknowledged = new Map<string, number[]>();
  let n = 0;
  for (const step of plan) {
    switch (step.do) {
      case 'write': {
        const value = ++n;
        await write(step.key, value);
        acknowledged.set(step.key, [...(acknowledged.get(step.key) ?? []), value]);
        expect(made.cache.getOrLoadSync(step.key, () => shop.values.get(step.key))).toBe(value);
        break;
      }
      case 'wait':
        await made.clock.advanceAsync(step.ms);
        break;
      case 'break':
        state.isBroken = true;
        break;
      case 'mend':
        state.isBroken = false;
        break;
      case 'crash':
        crash();
        break;
      case 'crash after the save':
        state.dieAfterNext = true;
        break;
      case 'retry':
        made.behind.retry('all');
        break;
      case 'invalidate':
        made.cache.clear();
        break;
    }
    revive();
  }
  state.isBroken = false;
  for (let rounds = 0; rounds < 3; rounds++) {
    made.behind.retry('all');
    await made.clock.advanceAsync(600_000);
    revive();
  }
  expect(made.behind.stats()).toMatchObject({ waiting: 0, dead: 0 });
  for (const [key, values] of acknowledged) {
    const saved = shop.applied.filter((item) => item.key === key).map(({ value }) => value);
    if (coalesce) {
      expect(shop.values.get(key)).toBe(values.at(-1));
      expect(saved).toEqual([...saved].sort((a, b) => a - b));
    } else expect(saved).toEqual(values);
  }
  expect(new Set(shop.applied.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(shop.applied.length);
}

describe('I10: whatever fails and whenever the process dies', () => {
  it('the source ends up with the last acknowledged write of each key, applied in order', async () => {
    await fc.assert(
      fc.asyncProperty(steps, (plan) => run(plan, true)),
      { numRuns: 40 },
    );
  }, 60_000);

  it('and with each write once and in order, where each counts', async () => {
    await fc.assert(
      fc.asyncProperty(steps, (plan) => run(plan, false)),
      { numRuns: 40 },
    );
  }, 60_000);
});

import { beforeEach, describe, expect, it } from 'vitest';
import { type AnswerCost, AnswerCosts } from '../../playground/answer-costs.ts';
import type { LocalInteraction } from '../../playground/discord/types.ts';

let told: AnswerCost[];
let costs: AnswerCosts;

beforeEach(() => {
  told = [];
  costs = new AnswerCosts((cost) => told.push(cost));
});

/** An interaction that is answered with a message, or not at all. */
function interaction(id: string, messageId?: string): LocalInteraction {
  const reply = () =>
    messageId === undefined ? Promise.reject(new Error('no answer')) : Promise.resolve({ id: messageId });
  return { id, reply } as unknown as LocalInteraction; // all that is looked at
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('what an answer has cost', () => {
  it('is told with the queries that came before it', async () => {
    costs.queried('1', 2);
    costs.follow(interaction('1', 'a'));
    await settled();
    expect(told).toEqual([{ messageId: 'a', ms: expect.any(Number), queries: 2 }]);
  });

  it('is told anew when a query comes after it, with the time that it took', async () => {
    costs.follow(interaction('1', 'a'));
    await settled();
    costs.queried('1', 1);
    expect(told.map(({ queries }) => queries)).toEqual([0, 1]);
    expect(told[1]?.ms).toBe(told[0]?.ms);
  });

  it('is that of the last press, where a press has changed the message', async () => {
    costs.queried('1', 3);
    costs.follow(interaction('1', 'a'));
    costs.follow(interaction('2', 'a'));
    await settled();
    expect(costs.all).toMatchObject([{ messageId: 'a', queries: 0 }]);
  });

  it('is not told of what was never answered', async () => {
    costs.follow(interaction('1'));
    await settled();
    expect(told).toEqual([]);
  });
});

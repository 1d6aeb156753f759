import Database from 'better-sqlite3';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalKey, canonicalPattern } from '../../src/cache/keys/canonical.ts';
import { type KeyPart, key } from '../../src/cache/keys/keys.ts';
import { compilePattern } from '../../src/cache/keys/pattern.ts';
import type { InvalidationTarget } from '../../src/cache/keys/target.ts';
import { sqliteCache } from '../../src/cache/transactions/sqlite.ts';
import { cachedSync, invalidates } from '../../src/cache/wrappers/wrappers.ts';
import { silentLogger } from '../../src/logger.ts';
import { placeForEach } from './layers/support.ts';
import { bench, heldLoader, tierOf } from './support.ts';

const SNOWFLAKE = 420000000000000042n;

describe('the canonical text of a key', () => {
  it.each([
    ['user::7::profile', 'user::7::profile'],
    [key.of('user', 7, 'profile'), 'user::7::profile'],
    [key.of('user', 7n), 'user::7'],
    [key.of('user', -7), 'user::-7'],
    [key.of('user', -0), 'user::0'],
    [key.of('user', 7.5), 'user::7.5'],
    [key.of('user', SNOWFLAKE), `user::${SNOWFLAKE}`],
    [key.of('user', 2 ** 60), `user::${2n ** 60n}`],
    [key.of('user', 1e21), `user::${10n ** 21n}`],
    [key.of('user', Number.NaN), 'user::#NaN'],
    [key.of('user', true, null), 'user::1::%null'],
    ['7::profile', '7::profile'],
    ['#7', '7'],
    ['user::007::+7:: 7 ::7.0::7e0', 'user::7::7::7::7::7'],
    [key.of('user', '\t7\n'), 'user::7'],
    [key.of('user', '#7'), 'user::%237'],
    [key.of('user', '%i7'), 'user::%25i7'],
    ['user:#7', 'user:7'],
    ['user-#7::team-%i8', 'user-7::team-8'],
    ['user::0x7::1_0::2024-01-05::7a::::-', 'user::0x7::1_0::2024-01-05::7a::::-'],
    ['color::#ff0000::#000000', 'color::#ff0000::#000000'],
  ])('of %j is %j', (text, canonical) => {
    expect(canonicalKey(text)).toBe(canonical);
  });

  it('leaves hashes as they are: what was hashed is reached by patterns and tags alone', () => {
    const hashed = key.query('top', { guild: 7 });
    expect(canonicalKey(hashed)).toBe(hashed);
    expect(canonicalKey(key.of('user', 'x'.repeat(200)))).toBe(key.of('user', 'x'.repeat(200)));
  });

  it('is the canonical text of itself, whatever the key', () => {
    const unit = fc.constantFrom(...'#%i:-+. 07eA*x');
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit }), fc.string({ unit: 'binary' })), (text) => {
        expect(canonicalKey(canonicalKey(text))).toBe(canonicalKey(text));
      }),
      { numRuns: 3_000 },
    );
  });

  it.each([
    ['user::#7::*', 'user::7::*'],
    ['*::%i7', '*::7'],
    ['007:*', '7:*'],
    ['user::#7*', 'user::7*'],
    ['user::007*', 'user::007*'],
    ['*7::x', '*7::x'],
  ])('of the pattern %j is %j', (pattern, canonical) => {
    expect(canonicalPattern(pattern)).toBe(canonical);
  });

  it('is matched by patterns beside the key as it is written', () => {
    const codes = compilePattern('order::000*');
    expect(['order::00012', 'order::12'].map((text) => codes.matches(text))).toEqual([true, false]);
    const sevens = compilePattern('user::7*');
    expect(['user::#7::x', 'user::%i71', 'user::8'].map((text) => sevens.matches(text))).toEqual([
      true,
      true,
      false,
    ]);
    expect(compilePattern('user::#*').matches('user::#8')).toBe(true);
  });
});

const SPELLINGS: readonly (readonly [string, KeyPart])[] = [
  ['text', '7'],
  ['number', 7],
  ['bigint', 7n],
];

describe('I14: reads', () => {
  it('keep the spellings of an id apart, since their answers may differ', () => {
    const { cache } = bench();
    const typeOf = cachedSync(cache, (id: unknown) => typeof id, { key: 'user::{0}' });
    expect(SPELLINGS.map(([, id]) => typeOf(id))).toEqual(['string', 'number', 'bigint']);
    expect(SPELLINGS.map(([, id]) => typeOf(id))).toEqual(['string', 'number', 'bigint']);
  });
});

describe.each(SPELLINGS)('I15: an id that is invalidated as %s', (_name, id) => {
  const covering: readonly (readonly [string, InvalidationTarget])[] = [
    ['key', key.of('user', id, 'x')],
    ['key as template text', `user::${id}::x`],
    ['pattern', `user::${key.of('a', id).slice(3)}::*`],
    ['pattern from the end', `*::${key.of('a', id).slice(3)}::x`],
    ['tag', { tag: `user:${key.of('a', id).slice(3)}` }],
    ['tag as template text', { tag: `user:${id}` }],
    ['key that it depends on', key.of('guild', id)],
    ['pattern over what it depends on', `guild::${id}*`],
  ];

  it.each(covering)('goes in every spelling, by %s', async (_by, target) => {
    const { cache } = bench();
    for (const [, other] of SPELLINGS) {
      const links = { tags: [`user:${key.of('a', other).slice(3)}`], dependsOn: [key.of('guild', other)] };
      cache.getOrLoadSync(key.of('user', other, 'x'), () => 1, links);
      cache.getOrLoadSync(key.of('user', other, '8'), () => 1);
    }
    const running = SPELLINGS.map(([, other]) => {
      const held = heldLoader<number>();
      const links = { tags: [`user:${key.of('a', other).slice(3)}`], dependsOn: [key.of('guild', other)] };
      const done = cache.getOrLoad(key.of('user', other, 'x'), held.load, { ...links, fresh: true });
      return { held, done };
    });
    const previewed = await cache.preview(target);
    const removal = cache.invalidate(target);
    for (const { held, done } of running) {
      held.give(2);
      await done;
    }
    expect(SPELLINGS.filter(([, other]) => cache.has(key.of('user', other, 'x')))).toEqual([]);
    expect(removal.loads).toBe(3);
    // What depends on it is not counted beforehand.
    const isDirect = !_by.includes('depends on');
    if (isDirect) expect([previewed.entries, previewed.loads]).toEqual([removal.entries, removal.loads]);
    await cache.stop();
  });

  it('goes in every spelling, by the template of a mutation, and so do fields of rows', () => {
    const { cache } = bench();
    const read = cachedSync(cache, (each: unknown) => String(each), { key: 'user::{0}', tags: ['seen:{0}'] });
    const write = invalidates(cache, (_row: { id: KeyPart }) => true, [
      'user::{0.id}',
      { tag: 'seen:{0.id}' },
    ]);
    for (const [, other] of SPELLINGS) read(other);
    write({ id });
    expect(cache.keys('', 10)).toEqual([]);
  });

  it('is outdated in every other spelling by set, write and delete', async () => {
    const { cache } = bench();
    const keyOf = (each: KeyPart) => key.of('user', each);
    const others = SPELLINGS.filter(([, other]) => other !== id);
    const fill = () => {
      for (const [, other] of SPELLINGS) {
        cache.getOrLoadSync(keyOf(other), () => 'old');
        cache.getOrLoadSync(key.of('made', other), () => 'old', { dependsOn: [keyOf(other)] });
      }
    };
    const left = () => cache.keys('', 10);
    fill();
    cache.set(keyOf(id), 'new');
    expect(left()).toEqual([keyOf(id)]);
    fill();
    await cache.write(keyOf(id), 'newer', () => Promise.resolve());
    expect(left()).toEqual([keyOf(id)]);
    fill();
    cache.delete(keyOf(id));
    expect(left()).toEqual([]);
    fill();
    const running = others.map(([, other]) => {
      const held = heldLoader<string>();
      return { held, done: cache.getOrLoad(keyOf(other), held.load, { fresh: true }) };
    });
    cache.set(keyOf(id), 'newest');
    for (const { held, done } of running) {
      held.give('read before');
      await done;
    }
    expect(left()).toEqual([keyOf(id)]);
    await cache.stop();
  });

  it('is not filled by a save that was under way in another spelling', async () => {
    const { cache } = bench();
    for (const [, other] of SPELLINGS) {
      const saved = Promise.withResolvers<void>();
      const done = cache.write(key.of('user', other), 1, () => saved.promise);
      cache.invalidate(key.of('user', id));
      saved.resolve();
      await done;
      expect(cache.has(key.of('user', other))).toBe(false);
    }
    await cache.stop();
  });
});

describe('I15: within a transaction', () => {
  it.each(SPELLINGS)(
    'a change by %s is a miss in the other spellings, and applies to all at the commit',
    (_name, id) => {
      const { cache } = bench();
      const db = new Database(':memory:');
      const sql = sqliteCache(db, cache, { logger: silentLogger });
      for (const [, other] of SPELLINGS) {
        cache.getOrLoadSync(key.of('user', other), () => 'old');
        cache.getOrLoadSync(key.of('made', other), () => 'old', { dependsOn: [key.of('user', other)] });
      }
      sql.transaction(() => {
        sql.cache.set(key.of('user', id), 'new');
        for (const [, other] of SPELLINGS) {
          expect(sql.cache.get(key.of('user', other))).toBe(other === id ? 'new' : undefined);
          expect(sql.cache.has(key.of('made', other))).toBe(false);
        }
      })();
      expect(cache.keys('', 10)).toEqual([key.of('user', id)]);
      db.close();
    },
  );
});

describe('I9, I15: a mutation that was noted on disk when its process was killed', () => {
  const place = placeForEach();
  const tiers = [tierOf('user', ['user'], { persist: 'on_change' })];

  it.each(SPELLINGS)('takes every spelling of its ids along at the next start, by %s', async (_name, id) => {
    const cache = place.start({ tiers }, null);
    for (const [, other] of SPELLINGS) {
      cache.getOrLoadSync(key.of('user', other), () => 1);
      cache.getOrLoadSync(key.of('user', 'made', other), () => 1, { dependsOn: [key.of('user', other)] });
      cache.getOrLoadSync(key.of('user', other, 'x'), () => 1);
    }
    await cache.persist();
    cache.intend(() => [key.of('user', id)]);
    place.kill(cache);
    place.kill(place.start({ tiers }, null));
    expect(place.rows().sort()).toEqual(SPELLINGS.map(([, other]) => key.of('user', other, 'x')).sort());
  });
});

describe('I15: a value that is set in one spelling', () => {
  const place = placeForEach();
  const tiers = [tierOf('user', ['user'], { persist: 'on_change' })];

  it.each(SPELLINGS)('outdates what is on disk in the others, by %s', async (_name, id) => {
    const before = place.start({ tiers });
    for (const [, other] of SPELLINGS) before.getOrLoadSync(key.of('user', other), () => 'old');
    await before.persist();
    place.kill(before);
    const cache = place.start({ tiers });
    cache.set(key.of('user', id), 'new');
    const read = () => SPELLINGS.map(([, other]) => cache.get(key.of('user', other)));
    const expected = SPELLINGS.map(([, other]) => (other === id ? 'new' : undefined));
    expect(read()).toEqual(expected);
    await cache.persist();
    expect(read()).toEqual(expected);
    await cache.stop();
    expect(place.rows()).toEqual([key.of('user', id)]);
  });

  it('outdates them, too, where the file is locked', async () => {
    const before = place.start({ tiers });
    for (const [, other] of SPELLINGS) before.getOrLoadSync(key.of('user', other), () => 'old');
    await before.persist();
    place.kill(before);
    const cache = place.start({ tiers });
    const other = place.connect();
    other.exec('BEGIN EXCLUSIVE');
    cache.set(key.of('user', 7), 'new');
    other.exec('ROLLBACK');
    expect(SPELLINGS.map(([, each]) => cache.get(key.of('user', each)))).toEqual([
      undefined,
      'new',
      undefined,
    ]);
    await cache.stop();
  });
});

describe('I12, I15: very many spellings of one id', () => {
  it('are gone at once, and leave memory in slices', async () => {
    const { cache, clock } = bench();
    const spellings = Array.from({ length: 5_000 }, (_, i) => {
      return `user::${' '.repeat(i % 70)}${'0'.repeat(Math.floor(i / 70))}7`;
    });
    for (const each of spellings) cache.getOrLoadSync(each, () => 1);
    const removal = cache.invalidate('user::7');
    expect(removal.entries).toBeLessThan(spellings.length);
    expect(spellings.filter((each) => cache.has(each))).toEqual([]);
    await clock.advanceAsync(1_000);
    expect((await removal.pending)?.entries).toBe(spellings.length);
    for (const each of spellings) cache.getOrLoadSync(each, () => 1);
    cache.set('user::7', 2);
    expect(spellings.filter((each) => cache.has(each))).toEqual(['user::7']);
    await cache.stop();
  });
});

// ---- against a model ----

/** One segment: a word, or an id with the text that all its spellings have in common. */
interface Part {
  readonly part: KeyPart;
  readonly common: string;
}

const words = fc.constantFrom('user', 'item', 'profile').map((word): Part => ({ part: word, common: word }));
const ids = fc
  .tuple(
    fc.constantFrom(0n, 1n, 7n, 70n, -3n, SNOWFLAKE, SNOWFLAKE + 1n, 9007199254740993n),
    fc.constantFrom('text', 'number', 'bigint', 'zeros', 'blank', 'real'),
  )
  .map(([id, spelling]): Part => {
    const common = String(id);
    const isSafe = Number.isSafeInteger(Number(id));
    switch (spelling) {
      case 'number':
        return { part: isSafe ? Number(id) : common, common };
      case 'bigint':
        return { part: id, common };
      case 'zeros':
        return { part: id < 0n ? common : `00${id}`, common };
      case 'blank':
        return { part: ` ${id}`, common };
      case 'real':
        return { part: isSafe ? `${id}.0` : common, common };
      default:
        return { part: common, common };
    }
  });
const parts = fc.array(fc.oneof({ weight: 1, arbitrary: words }, { weight: 2, arbitrary: ids }), {
  minLength: 1,
  maxLength: 3,
});
const segmentOf = ({ part }: Part) => key.of('a', part).slice(3);
const keyOf = (all: readonly Part[]) => `query::${all.map(segmentOf).join('::')}`;
const commonOf = (all: readonly Part[]) => `query::${all.map(({ common }) => common).join('::')}`;

interface Node {
  readonly key: string;
  readonly common: string;
  readonly tags: readonly Part[];
  readonly dependsOn: readonly (readonly Part[])[];
  readonly isLoading: boolean;
}

const nodes = fc.uniqueArray(
  fc
    .record({
      parts,
      tags: fc.array(ids, { maxLength: 1 }),
      dependsOn: fc.array(parts, { maxLength: 1 }),
      isLoading: fc.boolean(),
    })
    .map(({ parts, ...rest }): Node => ({ key: keyOf(parts), common: commonOf(parts), ...rest })),
  { minLength: 1, maxLength: 12, selector: (node) => node.key },
);

type Aim = { readonly target: InvalidationTarget; readonly isCovered: (node: Node) => boolean };

const star: Part = { part: '*', common: '*' };
const aims: fc.Arbitrary<Aim> = fc.oneof(
  parts.map((all): Aim => ({ target: keyOf(all), isCovered: ({ common }) => common === commonOf(all) })),
  ids.map((id): Aim => {
    const isCovered = ({ tags }: Node) => tags.some(({ common }) => common === id.common);
    return { target: { tag: `t:${segmentOf(id)}` }, isCovered };
  }),
  fc.tuple(parts, fc.nat(3), fc.nat(3)).map(([all, first, second]): Aim => {
    const places = new Set([first, second]);
    const pattern = [...all, star].map((part, i) => (places.has(i) || i === all.length ? star : part));
    const texts = pattern.map((part) => (part === star ? '.*' : part.common.replaceAll('.', '\\.')));
    const matches = new RegExp(`^query::${texts.join('::')}$`);
    return {
      target: `query::${pattern.map((part) => (part === star ? '*' : segmentOf(part))).join('::')}`,
      isCovered: ({ common }) => matches.test(common),
    };
  }),
);

/** What goes: what is covered, what depends on what is covered (there or not), and what depends on what goes. */
function gone(all: readonly Node[], aim: Aim): Set<string> {
  const removed = new Set(all.filter((node) => aim.isCovered(node)));
  for (let before = -1; before !== removed.size; ) {
    before = removed.size;
    for (const node of all) {
      const isLost = node.dependsOn.some((parts) => {
        const other = { common: commonOf(parts), key: '', tags: [], dependsOn: [], isLoading: false };
        return aim.isCovered(other) || [...removed].some(({ common }) => common === other.common);
      });
      if (isLost) removed.add(node);
    }
  }
  return new Set([...removed].map(({ key }) => key));
}

const optionsOf = ({ tags, dependsOn }: Node) => ({
  tags: tags.map((tag) => `t:${segmentOf(tag)}`),
  dependsOn: dependsOn.map(keyOf),
});

describe('I15: what an invalidation removes is what a model over common texts says', () => {
  const place = placeForEach();

  it('in memory and in flight', async () => {
    await fc.assert(
      fc.asyncProperty(nodes, aims, async (all, aim) => {
        const { cache } = bench();
        for (const node of all) {
          if (!node.isLoading) cache.getOrLoadSync(node.key, () => 1, optionsOf(node));
        }
        const running = all
          .filter(({ isLoading }) => isLoading)
          .map((node) => {
            const held = heldLoader<number>();
            return { held, done: cache.getOrLoad(node.key, held.load, optionsOf(node)) };
          });
        const { entries, loads } = await cache.preview(aim.target);
        const direct = all.filter((node) => aim.isCovered(node) && !node.isLoading);
        if (typeof aim.target === 'string') expect(entries).toBe(direct.length);
        const removal = cache.invalidate(aim.target);
        for (const { held, done } of running) {
          held.give(1);
          await done;
        }
        const expected = gone(all, aim);
        expect(new Set(all.filter(({ key }) => !cache.has(key)).map(({ key }) => key))).toEqual(expected);
        expect(removal.entries + removal.loads).toBe(expected.size);
        expect(loads).toBeLessThanOrEqual(removal.loads);
        await cache.stop();
      }),
      { numRuns: 1_000 },
    );
  });

  it('on disk', async () => {
    const tiers = [tierOf('query', ['query'], { persist: 'on_change' })];
    await fc.assert(
      fc.asyncProperty(nodes, aims, async (all, aim) => {
        const cache = place.start({ tiers });
        cache.clear();
        for (const node of all) cache.getOrLoadSync(node.key, () => 1, optionsOf(node));
        await cache.persist();
        const expected = gone(all, aim);
        const { stored } = await cache.preview(aim.target);
        expect(stored).toBe(expected.size);
        place.kill(cache);
        // Nothing is in memory: what goes is found on disk alone.
        const next = place.start({ tiers });
        next.invalidate(aim.target);
        const left = all.map(({ key }) => key).filter((each) => !expected.has(each));
        expect(place.rows().sort()).toEqual(left.sort());
        place.kill(next);
      }),
      { numRuns: 60 },
    );
  });
});

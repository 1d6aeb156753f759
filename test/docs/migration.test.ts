/** The page docs/migration.md, run as it stands: a bot with a Map, through the three phases. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  type Cache,
  cachedSync,
  createCache,
  invalidates,
  type MigrateOptions,
  type MigratingCache,
  migrateFrom,
  silentLogger,
} from '../../src/index.ts';
import { runBlock, scriptsUnder } from './code-blocks.ts';

const PAGE = 'docs/migration.md';
const TITLE = 'Moving over from a cache made by hand';

interface User {
  id: string;
  coins: number;
}

let cache: Cache;
let users: MigratingCache<string, User>;
beforeEach(() => {
  cache = createCache({ logger: silentLogger });
  const [setUp] = scriptsUnder(PAGE, TITLE);
  if (setUp === undefined) throw new Error('The page begins with code.');
  users = (runBlock(setUp) as (cache: Cache) => typeof users)(cache);
});
afterEach(() => cache.stop());

/** Runs the one block under a heading that begins with `title`. */
function phase(
  title: string,
  names: Readonly<Record<string, unknown>>,
  wanted?: readonly string[],
): unknown[] {
  return scriptsUnder(PAGE, title).map((block, i) =>
    runBlock(block, { names, ...(i > 0 && wanted !== undefined && { wanted }) }),
  );
}

it('moves a Map over in three phases', () => {
  users.set('1', { id: '1', coins: 10 });
  expect(users.get('1')).toEqual({ id: '1', coins: 10 });
  expect(users.report().namespaces).toMatchObject({ user: { phase: 'shadow', same: 1, different: 0 } });

  phase('Phase 2, `mirror`: read from the new one', { users });
  expect([users.phase('user'), users.get('1')]).toEqual(['mirror', { id: '1', coins: 10 }]);

  const rows = new Map([['1', { id: '1', coins: 10 }]]);
  const [, wrapped] = phase(
    'Phase 3, `done`: let the old one go',
    {
      users,
      cache,
      cachedSync,
      invalidates,
      selectUser: { get: (id: string) => rows.get(id) },
      updateUser: { run: (user: User) => rows.set(user.id, user) },
    },
    ['getUser', 'saveUser'],
  );
  expect(users.phase('user')).toBe('done');
  const { getUser, saveUser } = wrapped as { getUser(id: string): User; saveUser(user: User): void };
  expect(getUser('1').coins).toBe(10);
  saveUser({ id: '1', coins: 60 });
  expect(getUser('1').coins).toBe(60);
});

it('takes the namespaces that the page shows', () => {
  const [, block] = scriptsUnder(PAGE, TITLE);
  if (block === undefined) throw new Error('The page shows namespaces.');
  const { namespaces } = runBlock(block, { wanted: ['namespaces'] }) as {
    namespaces: MigrateOptions['namespaces'];
  };
  const old = new Map<string, string>();
  const kept = migrateFrom(cache, old, { namespaces });
  kept.set('user:1', 'Ada');
  kept.set('guild:7:settings', 'quiet');
  expect([cache.get('user::1::profile'), cache.get('guild::7::settings')]).toEqual(['Ada', 'quiet']);
});

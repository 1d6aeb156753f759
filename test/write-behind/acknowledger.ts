/** A process that writes one value, tells its parent once it is acknowledged, and waits to be killed. */
import Database from 'better-sqlite3';
import { createCache } from '../../src/cache/create-cache.ts';
import { silentLogger } from '../../src/logger.ts';
import { openJournal } from '../../src/write-behind/open-journal.ts';
import { createWriteBehind } from '../../src/write-behind/write-behind.ts';
import { tiers } from '../cache/support.ts';

const cache = createCache({
  maxWeightBytes: 1_000_000,
  tiers,
  cleanupIntervalMs: 60_000,
  logger: silentLogger,
});
const db = openJournal(process.argv[2] ?? '', (file) => new Database(file), { logger: silentLogger });
const behind = createWriteBehind(db, cache, { logger: silentLogger });
const never = new Promise<void>(() => undefined);
const write = behind.writeBehind<string>('names', () => never);
await write('user::1::name', 'Ada');
process.send?.({ acknowledged: 'Ada' });
setInterval(() => undefined, 60_000);

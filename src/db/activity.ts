/**
 * How much each person uses the bot, and when last. Written behind: every command changes it, nobody waits for it, and
 * a burst of commands is one row. What is written is the whole record with a count that only grows, so saving it twice
 * changes nothing.
 */
import type Database from 'better-sqlite3';
import type { Cache } from '../cache/cache.ts';
import { key } from '../cache/keys/keys.ts';
import type { WriteBehind } from '../write-behind/types.ts';

export interface UserActivity {
  readonly userId: string;
  readonly uses: number;
  readonly lastCommand: string;
  /** Epoch milliseconds. */
  readonly lastSeenAt: number;
}

export interface ActivityLog {
  /**
   * Counts a use; on the disk when it returns, and in the database some seconds later.
   * @throws CacheError `ERR_BACKLOG_FULL`, `ERR_STORE_FAILED`, `ERR_CLOSED`: it was not counted
   */
  used(userId: string, command: string): void;
  /** `null`: never seen. */
  of(userId: string): UserActivity | null;
}

/** Long enough for a conversation to be one row, short enough for reports that read the table. */
const MAX_DELAY_MS = 2_000;

/**
 * @param db an open database with the current schema; open until write-behind has stopped
 * @param cache that of `writeBehind`
 */
export function activityLog(
  db: Database.Database,
  cache: Cache,
  writeBehind: WriteBehind,
  now: () => number = Date.now,
): ActivityLog {
  const select = db.prepare<[string], UserActivity>(
    `SELECT user_id AS userId, uses, last_command AS lastCommand, last_seen_at AS lastSeenAt
     FROM user_activity WHERE user_id = ?`,
  );
  const upsert = db.prepare<[UserActivity]>(
    `INSERT INTO user_activity (user_id, uses, last_command, last_seen_at)
     VALUES (:userId, :uses, :lastCommand, :lastSeenAt)
     ON CONFLICT (user_id) DO UPDATE SET uses = excluded.uses, last_command = excluded.last_command,
       last_seen_at = excluded.last_seen_at WHERE excluded.uses > uses`,
  );
  const saveAll = db.transaction((records: readonly UserActivity[]) => {
    for (const record of records) upsert.run(record);
  }).immediate;
  const write = writeBehind.writeBehind<UserActivity>(
    'user-activity',
    (batch) => saveAll(batch.map(({ value }) => value)),
    { maxDelayMs: MAX_DELAY_MS, entry: { tier: 'user' } },
  );
  const keyOf = (userId: string) => key.user(userId, 'activity');
  const of = (userId: string) =>
    cache.getOrLoadSync(keyOf(userId), () => select.get(userId) ?? null, { tier: 'user' });
  return {
    of,
    used(userId, command) {
      // Read and written in one turn of the loop, so that no use is lost in between.
      const uses = (of(userId)?.uses ?? 0) + 1;
      write.sync(keyOf(userId), { userId, uses, lastCommand: command, lastSeenAt: now() });
    },
  };
}

/** Resident keys for completion: bounded in what it looks at, so that it answers while somebody types. */
import type { Entry } from '../entry.ts';
import type { MemoryLayer } from '../layers/memory.ts';

/** Keys looked at, at most, and groups of keys passed over on the way: some 2 ms in all. */
const MAX_KEYS_SEEN = 500;
const MAX_GROUPS_SKIPPED = 20_000;

/** Keys that start with `prefix`, most used first among those seen. */
export function completeKeys(
  memory: MemoryLayer,
  prefix: string,
  limit: number,
  isFresh: (entry: Entry) => boolean,
): string[] {
  const seen: Entry[] = [];
  let visits = 0;
  let skipped = 0;
  for (const entry of memory.candidates(prefix)) {
    if (entry === undefined) {
      if (++skipped > MAX_GROUPS_SKIPPED) break;
      continue;
    }
    if (++visits > MAX_KEYS_SEEN) break;
    if (entry.key.startsWith(prefix) && isFresh(entry)) seen.push(entry);
  }
  return seen
    .sort((a, b) => b.hits - a.hits || (a.key < b.key ? -1 : 1))
    .slice(0, limit)
    .map(({ key }) => key);
}

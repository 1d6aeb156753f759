/** A dry run: what an invalidation would remove, counted in slices, nothing touched. */
import type { Clock } from '../clock.ts';
import type { Entry } from '../entry.ts';
import { covers, type Target } from '../keys/target.ts';
import type { Disk } from '../layers/disk/disk.ts';
import type { MemoryLayer } from '../layers/memory.ts';
import type { Loads } from '../loading/loads.ts';
import type { Removal } from '../removal.ts';
import { inSlices } from '../slices.ts';
import type { TierName } from '../tiers/tier.ts';

/** What a pattern covers at the moment, without removing it. */
export interface Preview extends Omit<Removal, 'pending'> {
  /** Entries on disk, many of them the same as those in memory; 0 without a disk layer. */
  readonly stored: number;
  /** Some of the keys, for people to see. */
  readonly examples: readonly string[];
  /** By tier, largest first. */
  readonly tiers: readonly {
    readonly tier: TierName;
    readonly entries: number;
    readonly weightBytes: number;
  }[];
}

const MAX_EXAMPLES = 5;

export async function preview(
  target: Target,
  memory: MemoryLayer,
  disk: Disk | undefined,
  loads: Loads,
  clock: Clock,
  isFresh: (entry: Entry) => boolean,
): Promise<Preview> {
  const tiers = new Map<TierName, { tier: TierName; entries: number; weightBytes: number }>();
  const examples: string[] = [];
  let entries = 0;
  let weightBytes = 0;
  const isCovered = ({ key, counters }: Entry) =>
    target.kind === 'pattern'
      ? target.pattern.matches(key)
      : target.kind !== 'tier' || counters.policy.tier === target.tier;
  const visit = (entry: Entry | undefined) => {
    if (entry === undefined || !isCovered(entry)) return;
    if (!isFresh(entry) || !memory.holds(entry)) return;
    entries++;
    weightBytes += entry.weightBytes;
    if (examples.length < MAX_EXAMPLES) examples.push(entry.key);
    const { tier } = entry.counters.policy;
    const ofTier = tiers.get(tier) ?? { tier, entries: 0, weightBytes: 0 };
    ofTier.entries++;
    ofTier.weightBytes += entry.weightBytes;
    tiers.set(tier, ofTier);
  };
  await inSlices(clock, candidatesOf(target, memory), visit, () => false);
  const stored = await disk?.stored.covered(target);
  return {
    entries,
    weightBytes,
    loads: [...loads.all()].filter(({ key, links, counters }) =>
      covers(target, key, links, counters.policy.tier),
    ).length,
    stored: stored?.entries ?? 0,
    examples: [...new Set([...examples, ...(stored?.examples ?? [])])].slice(0, MAX_EXAMPLES),
    tiers: [...tiers.values()].sort((a, b) => b.entries - a.entries),
  };
}

function candidatesOf(target: Target, memory: MemoryLayer): Iterable<Entry | undefined> {
  if (target.kind === 'key') return memory.spelled(target.key);
  if (target.kind === 'tag') return memory.tagged(target.tag);
  return target.kind === 'tier' ? memory.candidates('') : memory.candidatesOf(target.pattern);
}

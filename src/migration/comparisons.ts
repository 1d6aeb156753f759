/** What comparing one namespace has shown so far, in counts and places. It holds no values. */
import type { BurstLog } from '../cache/burst-log.ts';
import type { Clock } from '../cache/clock.ts';
import { firstDifference, kindOf } from './first-difference.ts';
import type { MigrationDifference, MigrationPhase, NamespaceReport } from './types.ts';

/** What a cache answered; a value of its own says nothing, since `null` may be one. */
export interface Answer {
  readonly found: boolean;
  readonly value: unknown;
}

const MAX_DIFFERENCES = 100;

export class Comparisons {
  readonly #namespace: string;
  readonly #clock: Clock;
  readonly #log: BurstLog;
  /** By key; the last that differed is the last in the map. */
  readonly #differences = new Map<string, MigrationDifference>();
  reads = 0;
  refused = 0;
  oldFailures = 0;
  #same = 0;
  #different = 0;
  #onlyOld = 0;
  #onlyNew = 0;

  constructor(namespace: string, clock: Clock, log: BurstLog) {
    this.#namespace = namespace;
    this.#clock = clock;
    this.#log = log;
  }

  /** Never throws: a value that cannot be read must not break the read it was made for (I4). */
  compare(key: string, old: Answer, ours: Answer): void {
    try {
      this.#compare(key, old, ours);
    } catch (error) {
      this.#log.warn(
        `migrate:${this.#namespace}:comparing`,
        'Values of the old and the new cache could not be compared.',
        {
          key,
          error,
        },
      );
    }
  }

  #compare(key: string, old: Answer, ours: Answer): void {
    if (old.found && !ours.found) {
      this.#onlyOld++;
    } else if (!old.found && ours.found && ours.value !== null && ours.value !== undefined) {
      this.#onlyNew++;
      this.#differs(key, { path: '', left: 'nothing', right: kindOf(ours.value) });
    } else {
      const difference = old.found ? firstDifference(old.value, ours.value) : undefined;
      if (difference === undefined) {
        this.#same++;
        return;
      }
      this.#different++;
      this.#differs(key, difference);
    }
  }

  #differs(key: string, { path, left, right }: { path: string; left: string; right: string }): void {
    const times = (this.#differences.get(key)?.times ?? 0) + 1;
    this.#differences.delete(key);
    const lastAt = this.#clock.epochAt(this.#clock.now());
    this.#differences.set(key, { key, path, old: left, new: right, times, lastAt });
    if (this.#differences.size > MAX_DIFFERENCES) {
      for (const oldest of this.#differences.keys()) {
        this.#differences.delete(oldest);
        break;
      }
    }
    // One line a minute for one place of all keys: rows of one kind differ in the same field.
    const place = path.replaceAll(/\[\d+\]/g, '[]');
    this.#log.warn(
      `migrate:${this.#namespace}:${place}:${left}:${right}`,
      `The old and the new cache differ in ${key}${path === '' ? '' : `, at ${path}`}.`,
      { key, path, old: left, new: right },
    );
  }

  report(phase: MigrationPhase): NamespaceReport {
    return {
      phase,
      reads: this.reads,
      same: this.#same,
      different: this.#different,
      onlyOld: this.#onlyOld,
      onlyNew: this.#onlyNew,
      refused: this.refused,
      oldFailures: this.oldFailures,
      differences: [...this.#differences.values()].reverse(),
    };
  }
}

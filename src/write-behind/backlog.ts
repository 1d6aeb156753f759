/**
 * What waits to be saved, in order a key: which writes may begin now, which rest after a failure, and which are held
 * behind one that waits for a decision. Of a key one write at most is in flight, so none can pass an earlier one.
 * Knows neither the journal nor the cache nor timers.
 */

export interface PendingWrite {
  readonly id: number;
  readonly key: string;
  readonly stored: string | Uint8Array;
  readonly idempotencyKey: string;
  /** Epoch milliseconds. */
  readonly writtenAt: number;
  /** It was in the journal at the start, so it may have been tried. */
  readonly isReplayed: boolean;
  failures: number;
}

/** The writes of one key. */
export interface Line {
  readonly key: string;
  /** In their order. */
  readonly waiting: PendingWrite[];
  inFlight: PendingWrite | undefined;
  /** Earlier writes that wait for a decision: while there is one, nothing of this key begins. */
  readonly blockedBy: Set<number>;
  /** Epoch milliseconds of the first write that the source does not have. */
  since: number;
  /** When it begins at the latest, as an instant of the clock. */
  dueAt: number;
  /** Not before this instant. */
  restsUntil: number;
}

export interface BatchRules {
  readonly max: number;
  /** How many writes may be in a batch with this one, itself included. */
  readonly companyOf: (write: PendingWrite) => number;
  /** Begin without waiting for company. */
  readonly isUrgent: boolean;
}

export class Backlog {
  readonly #lines = new Map<string, Line>();
  /** Lines with a write that may begin, longest first. */
  readonly #ready = new Set<Line>();
  readonly #resting = new Set<Line>();
  #size = 0;
  #inFlight = 0;

  /** Writes that wait or are in flight. */
  get size(): number {
    return this.#size;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get ready(): number {
    return this.#ready.size;
  }

  /** Writes that are held behind one that waits for a decision. */
  get held(): number {
    let held = 0;
    for (const { blockedBy, waiting } of this.#lines.values()) if (blockedBy.size > 0) held += waiting.length;
    return held;
  }

  /** Epoch milliseconds, of lines that are not held; `null` when nothing waits. */
  get oldestAt(): number | null {
    let oldest: number | null = null;
    for (const line of this.#lines.values()) {
      if (line.inFlight === undefined && line.waiting.length === 0) continue;
      if (oldest === null || line.since < oldest) oldest = line.since;
    }
    return oldest;
  }

  lineOf(key: string): Line | undefined {
    return this.#lines.get(key);
  }

  lines(): Iterable<Line> {
    return this.#lines.values();
  }

  /** The last write to the key. */
  newest(key: string): PendingWrite | undefined {
    const line = this.#lines.get(key);
    return line?.waiting.at(-1) ?? line?.inFlight;
  }

  /** Takes a write in, at the place that its id gives it. */
  add(write: PendingWrite, dueAt: number): void {
    const line = this.#lines.get(write.key) ?? this.#newLine(write, dueAt);
    let at = line.waiting.length;
    while (at > 0 && (line.waiting[at - 1]?.id ?? 0) > write.id) at--;
    if (line.waiting.length === 0) line.dueAt = dueAt;
    line.waiting.splice(at, 0, write);
    this.#size++;
    this.#place(line);
  }

  /** Takes out the key's writes that wait; its line goes on, so that its age and its rest do. */
  supersede(key: string): PendingWrite[] {
    const line = this.#lines.get(key);
    if (line === undefined) return [];
    const gone = line.waiting.splice(0);
    this.#size -= gone.length;
    return gone;
  }

  /** Lets go of a line from which writes were taken, and nothing was added. */
  tidy(key: string): void {
    const line = this.#lines.get(key);
    if (line !== undefined) this.#place(line);
  }

  /** Holds the key until the decision on this write. */
  block(write: { readonly id: number; readonly key: string; readonly writtenAt: number }): void {
    const line = this.#lines.get(write.key) ?? this.#newLine(write, 0);
    line.blockedBy.add(write.id);
    this.#place(line);
  }

  unblock(id: number, key: string): void {
    const line = this.#lines.get(key);
    line?.blockedBy.delete(id);
    if (line !== undefined) this.#place(line);
  }

  /** Lets those go on that have rested; with `Infinity`, all. */
  wake(now: number): void {
    for (const line of this.#resting) if (line.restsUntil <= now) this.#place(line, now);
  }

  /** Takes the next batch; it is in flight from now on. Empty when nothing has to begin yet. */
  take(now: number, { max, companyOf, isUrgent }: BatchRules): PendingWrite[] {
    if (!isUrgent && this.#ready.size < max && !this.#hasDue(now)) return [];
    const batch: PendingWrite[] = [];
    let limit = max;
    for (const line of this.#ready) {
      const [write] = line.waiting;
      if (write === undefined) continue;
      const company = companyOf(write);
      if (batch.length + 1 > Math.min(limit, company)) continue;
      limit = Math.min(limit, company);
      line.waiting.shift();
      line.inFlight = write;
      this.#ready.delete(line);
      batch.push(write);
      if (batch.length >= limit) break;
    }
    this.#inFlight += batch.length;
    return batch;
  }

  /** It is saved, on the list, or superseded: the next one of its key may begin. */
  settle(write: PendingWrite): void {
    const line = this.#land(write);
    if (line === undefined) return;
    this.#size--;
    line.since = line.waiting[0]?.writtenAt ?? line.since;
    this.#place(line);
  }

  /** It failed, and is tried again before anything else of its key. */
  putBack(write: PendingWrite): void {
    const line = this.#land(write);
    if (line === undefined) return;
    line.waiting.unshift(write);
    this.#place(line);
  }

  /** Nothing of the key begins before then. */
  rest(key: string, until: number, now: number): void {
    const line = this.#lines.get(key);
    if (line === undefined) return;
    line.restsUntil = until;
    this.#place(line, now);
  }

  /** Whether a write up to this id is still to be saved, and not held. */
  hasUpTo(id: number): boolean {
    for (const { blockedBy, inFlight, waiting } of this.#lines.values()) {
      if (inFlight !== undefined && inFlight.id <= id) return true;
      const [first] = waiting;
      if (blockedBy.size === 0 && first !== undefined && first.id <= id) return true;
    }
    return false;
  }

  /** When there is something to do next, as an instant of the clock. */
  get nextAt(): number | undefined {
    let next: number | undefined;
    const consider = (at: number) => {
      if (next === undefined || at < next) next = at;
    };
    for (const { dueAt } of this.#ready) consider(dueAt);
    for (const { restsUntil } of this.#resting) consider(restsUntil);
    return next;
  }

  #newLine(write: { readonly key: string; readonly writtenAt: number }, dueAt: number): Line {
    const line: Line = {
      key: write.key,
      waiting: [],
      inFlight: undefined,
      blockedBy: new Set(),
      since: write.writtenAt,
      dueAt,
      restsUntil: Number.NEGATIVE_INFINITY,
    };
    this.#lines.set(write.key, line);
    return line;
  }

  #land(write: PendingWrite): Line | undefined {
    const line = this.#lines.get(write.key);
    if (line?.inFlight !== write) return undefined;
    line.inFlight = undefined;
    this.#inFlight--;
    return line;
  }

  #hasDue(now: number): boolean {
    for (const { dueAt } of this.#ready) if (dueAt <= now) return true;
    return false;
  }

  /** Puts a line where it belongs. @param now where its rest may be over */
  #place(line: Line, now?: number): void {
    if (now !== undefined && line.restsUntil <= now) line.restsUntil = Number.NEGATIVE_INFINITY;
    const isIdle = line.inFlight === undefined && line.blockedBy.size === 0;
    const canBegin = isIdle && line.waiting.length > 0;
    const mustRest = line.restsUntil !== Number.NEGATIVE_INFINITY;
    if (canBegin && mustRest) this.#resting.add(line);
    else this.#resting.delete(line);
    if (canBegin && !mustRest) this.#ready.add(line);
    else this.#ready.delete(line);
    if (isIdle && line.waiting.length === 0) this.#lines.delete(line.key);
  }
}

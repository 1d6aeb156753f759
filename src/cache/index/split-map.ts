/**
 * A Map from texts to things that never holds up the event loop, however large it gets (I12).
 *
 * JavaScript's Map moves all of its content at once when it grows, shrinks, or has seen enough deletions: 50 to 120 ms
 * with a million entries. Here a map that has grown too long is split by one character of its keys, the one that
 * spreads them best, so that no more than some thousands of them are ever moved together. Up to there it is a plain Map.
 */

/** Moving so many takes some 2 ms. */
const LONGEST = 8_192;
/** Children of a split: digits and letters alike fall apart by their lowest four bits. */
const WAYS = 16;
/** At most 255, as they are counted in bytes. */
const SAMPLES = 64;
/** Characters beyond this are not looked at when a split is chosen. */
const LAST_POSITION = 96;

interface Node<V> {
  /** What lies here; `undefined` once split. */
  map: Map<string, V> | undefined;
  /** The size at which it is split. */
  limit: number;
  /** The character that decides which child holds a key. */
  position: number;
  children: Node<V>[];
}

export class SplitMap<V> {
  readonly #longest: number;
  #root: Node<V>;
  #size = 0;

  /** @param longest maps that hold the same keys take different ones, so that they are not split at the same insertion */
  constructor(longest = LONGEST) {
    this.#longest = longest;
    this.#root = leaf(longest);
  }

  get size(): number {
    return this.#size;
  }

  get(key: string): V | undefined {
    return this.#mapOf(key).get(key);
  }

  set(key: string, value: V): void {
    let node = this.#root;
    while (node.map === undefined) node = node.children[key.charCodeAt(node.position) % WAYS || 0] as Node<V>;
    const before = node.map.size;
    node.map.set(key, value);
    if (node.map.size === before) return;
    this.#size++;
    if (node.map.size > node.limit) split(node, node.map, this.#longest);
  }

  delete(key: string): boolean {
    if (!this.#mapOf(key).delete(key)) return false;
    if (--this.#size === 0) this.#root = leaf(this.#longest);
    return true;
  }

  /**
   * In no useful order. Whoever changes the map meanwhile may or may not see what was added, and may still be given what
   * was deleted; everything else is seen once.
   */
  entries(): Iterable<[string, V]> {
    const { map } = this.#root;
    return map === undefined ? entriesWithin(this.#root) : map.entries();
  }

  /** See {@link entries}. */
  *values(): Generator<V, void, undefined> {
    for (const [, value] of this.entries()) yield value;
  }

  #mapOf(key: string): Map<string, V> {
    let node = this.#root;
    // Beyond a key's end there is NaN, which counts as 0. What is no text, where nothing checks types, is not found.
    while (node.map === undefined) {
      node = node.children[key?.charCodeAt?.(node.position) % WAYS || 0] as Node<V>;
    }
    return node.map;
  }
}

function leaf<V>(limit: number, map = new Map<string, V>()): Node<V> {
  return { map, limit, position: 0, children: [] };
}

function* entriesWithin<V>(node: Node<V>): Generator<[string, V], void, undefined> {
  // Where it is split meanwhile, the old map stays as it is and is gone through to its end.
  if (node.map !== undefined) yield* node.map.entries();
  else for (const child of node.children) yield* entriesWithin(child);
}

function split<V>(node: Node<V>, map: Map<string, V>, longest: number): void {
  const position = bestPosition(sample(map));
  if (position === undefined) {
    // Nothing tells these keys apart where we look: tried again when there are twice as many.
    node.limit *= 2;
    return;
  }
  const maps: Map<string, V>[] = Array.from({ length: WAYS }, () => new Map());
  // Splits are rare, so this runs uncompiled: as little as can be is done for each.
  map.forEach((value, key) => {
    (maps[key.charCodeAt(position) % WAYS || 0] as Map<string, V>).set(key, value);
  });
  node.children = maps.map((part) => leaf(longest, part));
  node.position = position;
  node.map = undefined;
}

/** Some keys from all over the map. */
function sample(map: ReadonlyMap<string, unknown>): string[] {
  const step = Math.floor(map.size / SAMPLES);
  const keys: string[] = [];
  let i = 0;
  for (const key of map.keys()) if (i++ % step === 0) keys.push(key);
  return keys;
}

/** The first character by which the keys fall into parts that are even enough, else the best; `undefined` when none tells them apart. */
function bestPosition(keys: readonly string[]): number | undefined {
  const longest = keys.reduce((length, key) => Math.max(length, key.length), 0);
  const enough = (2 * keys.length) / WAYS;
  let best: number | undefined;
  let smallest = keys.length;
  for (let position = 0; position < longest && position < LAST_POSITION && smallest > enough; position++) {
    const largest = largestPart(keys, position);
    if (largest >= smallest) continue;
    smallest = largest;
    best = position;
  }
  return best;
}

function largestPart(keys: readonly string[], position: number): number {
  const counts = new Uint8Array(WAYS);
  let largest = 0;
  for (const key of keys) {
    const way = key.charCodeAt(position) % WAYS || 0;
    const count = (counts[way] ?? 0) + 1;
    counts[way] = count;
    if (count > largest) largest = count;
  }
  return largest;
}

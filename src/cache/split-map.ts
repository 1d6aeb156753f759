/**
 * A Map from texts to things that never holds up the event loop, however large it gets (I12).
 *
 * JavaScript's Map moves all of its content at once when it grows, shrinks, or has seen enough deletions: 50 to 120 ms
 * with a million entries. Here a map that has grown too long is split by one character of its keys, the one that
 * spreads them best, so that no more than {@link LONGEST} of them are ever moved together. Up to there it is a plain Map.
 */

/** Moving so many takes some 3 ms. */
const LONGEST = 16_384;
/** Children of a split: digits and letters alike fall apart by their lowest four bits. */
const WAYS = 16;
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
  #root: Node<V> = leaf();
  #size = 0;

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
    if (node.map.size > node.limit) split(node, node.map);
  }

  delete(key: string): boolean {
    if (!this.#mapOf(key).delete(key)) return false;
    if (--this.#size === 0) this.#root = leaf();
    return true;
  }

  /**
   * In no useful order. Whoever changes the map meanwhile may or may not see what he adds, and may still be given what
   * he has deleted; everything else is seen once.
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
    // Beyond a key's end there is NaN, which counts as 0.
    while (node.map === undefined) node = node.children[key.charCodeAt(node.position) % WAYS || 0] as Node<V>;
    return node.map;
  }
}

function leaf<V>(): Node<V> {
  return { map: new Map(), limit: LONGEST, position: 0, children: [] };
}

function* entriesWithin<V>(node: Node<V>): Generator<[string, V], void, undefined> {
  // Where it is split meanwhile, the old map stays as it is and is gone through to its end.
  if (node.map !== undefined) yield* node.map.entries();
  else for (const child of node.children) yield* entriesWithin(child);
}

function split<V>(node: Node<V>, map: Map<string, V>): void {
  const position = bestPosition(sample(map));
  if (position === undefined) {
    // Nothing tells these keys apart where we look: tried again when there are twice as many.
    node.limit *= 2;
    return;
  }
  const children: Node<V>[] = Array.from({ length: WAYS }, () => leaf());
  for (const [key, value] of map) children[key.charCodeAt(position) % WAYS || 0]?.map?.set(key, value);
  node.children = children;
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

/** The character by which the keys fall into the most even parts; `undefined` when none tells them apart. */
function bestPosition(keys: readonly string[]): number | undefined {
  let best: number | undefined;
  let smallest = keys.length;
  for (let position = 0; position < LAST_POSITION; position++) {
    const counts = new Array<number>(WAYS).fill(0);
    for (const key of keys) {
      const way = key.charCodeAt(position) % WAYS || 0;
      counts[way] = (counts[way] ?? 0) + 1;
    }
    const largest = Math.max(...counts);
    if (largest >= smallest) continue;
    smallest = largest;
    best = position;
  }
  return best;
}

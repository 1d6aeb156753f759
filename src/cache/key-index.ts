/**
 * Finds the keys that a pattern covers, in time proportional to what it matches rather than to what is resident.
 *
 * Keys are kept by namespace and second segment, since that is where patterns cut (`products:*`, `user::42::*`); the
 * keys of one group lie together. Most groups are tiny, so a group is a bare key, then a short list, then a set:
 * 20 to 80 bytes a key in all, where a tree of segments took 360 (`npm run bench -- memory`).
 */
import { SEPARATOR } from './keys.ts';

/** Beyond this many keys, a list is slower to search than a set and no longer smaller. */
const LONGEST_LIST = 8;

type Group = string | string[] | Set<string>;

interface Place {
  /** What every key of the group begins with. */
  readonly prefix: string;
  readonly namespace: string;
  readonly second: string;
  readonly groups: Map<string, Group>;
}

export class KeyIndex {
  readonly #namespaces = new Map<string, Map<string, Group>>();
  #size = 0;
  /** Where the last key lay: the next one often lies there too, when a person is loaded or invalidated. */
  #lastPlace: Place | undefined;

  get size(): number {
    return this.#size;
  }

  /** The key must not be in the index yet. */
  add(key: string): void {
    const { second, groups } = this.#placeOf(key);
    const group = groups.get(second);
    this.#size++;
    if (group === undefined) groups.set(second, key);
    else if (typeof group === 'string') groups.set(second, [group, key]);
    else if (group instanceof Set) group.add(key);
    // A list that grows by `push` keeps room for sixteen more.
    else if (group.length < LONGEST_LIST) groups.set(second, [...group, key]);
    else groups.set(second, new Set(group).add(key));
  }

  delete(key: string): void {
    const { namespace, second, groups } = this.#placeOf(key);
    const group = groups.get(second);
    if (group !== undefined && removeFrom(groups, second, group, key)) this.#size--;
    if (groups.size > 0) return;
    this.#namespaces.delete(namespace);
    this.#lastPlace = undefined;
  }

  clear(): void {
    this.#namespaces.clear();
    this.#lastPlace = undefined;
    this.#size = 0;
  }

  /** Every key, in no useful order. Keys added or deleted meanwhile may or may not be seen. */
  *all(): Generator<string, void, undefined> {
    for (const groups of this.#namespaces.values()) {
      for (const group of groups.values()) yield* keysOf(group);
    }
  }

  /**
   * The keys among which every match of a pattern with this prefix is found, and `undefined` for each group passed over,
   * so that a caller who works in slices can stop at any point. The caller may delete what it is given while it goes on.
   */
  candidates(prefix: string): Iterable<string | undefined> {
    const end = prefix.indexOf(SEPARATOR);
    if (end === -1) return this.#inNamespaces(prefix);
    const groups = this.#namespaces.get(prefix.slice(0, end));
    if (groups === undefined) return [];
    const rest = prefix.slice(end + SEPARATOR.length);
    const secondEnd = rest.indexOf(SEPARATOR);
    if (secondEnd === -1) return inGroups(groups, rest);
    const group = groups.get(rest.slice(0, secondEnd));
    return group === undefined ? [] : keysOf(group);
  }

  *#inNamespaces(prefix: string): Generator<string | undefined, void, undefined> {
    for (const [namespace, groups] of this.#namespaces) {
      if (!`${namespace}${SEPARATOR}`.startsWith(prefix)) yield undefined;
      else for (const group of groups.values()) yield* keysOf(group);
    }
  }

  #placeOf(key: string): Place {
    const last = this.#lastPlace;
    if (last !== undefined && key.startsWith(last.prefix)) return last;
    const end = key.indexOf(SEPARATOR);
    const start = end === -1 ? key.length : end + SEPARATOR.length;
    const secondEnd = end === -1 ? -1 : key.indexOf(SEPARATOR, start);
    const namespace = end === -1 ? key : key.slice(0, end);
    const second = secondEnd === -1 ? key.slice(start) : key.slice(start, secondEnd);
    let groups = this.#namespaces.get(namespace);
    if (groups === undefined) {
      groups = new Map();
      this.#namespaces.set(namespace, groups);
    }
    if (secondEnd === -1) return { prefix: key, namespace, second, groups };
    const place = { prefix: key.slice(0, secondEnd + SEPARATOR.length), namespace, second, groups };
    this.#lastPlace = place;
    return place;
  }
}

function* inGroups(groups: Map<string, Group>, rest: string): Generator<string | undefined, void, undefined> {
  for (const [second, group] of groups) {
    if (`${second}${SEPARATOR}`.startsWith(rest)) yield* keysOf(group);
    else yield undefined;
  }
}

function keysOf(group: Group): Iterable<string> {
  if (typeof group === 'string') return [group];
  // A list is copied since the caller may delete from it; a set takes that well.
  return group instanceof Set ? group : group.slice();
}

/** False when the key was not there. */
function removeFrom(groups: Map<string, Group>, second: string, group: Group, key: string): boolean {
  if (typeof group === 'string') return group === key && groups.delete(second);
  if (group instanceof Set) {
    const removed = group.delete(key);
    if (removed && group.size <= LONGEST_LIST / 2) groups.set(second, [...group]);
    return removed;
  }
  const at = group.indexOf(key);
  if (at === -1) return false;
  const last = group.pop();
  if (last !== undefined && at < group.length) group[at] = last;
  if (group.length === 1 && group[0] !== undefined) groups.set(second, group[0]);
  return true;
}

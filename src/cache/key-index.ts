/**
 * Finds the keys that a pattern covers, in time proportional to what it matches rather than to what is resident.
 *
 * What has a key is kept by namespace and second segment, since that is where patterns cut (`products:*`,
 * `user::42::*`); the members of one group lie together: 20 to 80 bytes a key in all, where a tree of segments took 360
 * (`npm run bench -- memory`).
 */
import { type Group, type Keyed, membersOf, withMember, withoutMember } from './group.ts';
import { SEPARATOR } from './keys.ts';
import { SplitMap } from './split-map.ts';

/** Another number than the layer's own map of the same keys has, so that both are not split at once. */
const GROUPS_TOGETHER = 6_000;

interface Place<T extends Keyed> {
  /** What every key of the group begins with. */
  readonly prefix: string;
  readonly namespace: string;
  readonly second: string;
  readonly groups: SplitMap<Group<T>>;
}

export class KeyIndex<T extends Keyed> {
  readonly #namespaces = new Map<string, SplitMap<Group<T>>>();
  /** Where the last key lay: the next one often lies there too, when a person is loaded or invalidated. */
  #lastPlace: Place<T> | undefined;

  /** Its key must not be in the index yet. */
  add(member: T): void {
    const { second, groups } = this.#placeOf(member.key);
    const group = groups.get(second);
    const grown = withMember(group, member);
    if (grown !== group) groups.set(second, grown);
  }

  delete(member: T): void {
    const { namespace, second, groups } = this.#placeOf(member.key);
    const group = groups.get(second);
    const left = group === undefined ? undefined : withoutMember(group, member);
    if (left === undefined) groups.delete(second);
    else if (left !== group) groups.set(second, left);
    if (groups.size > 0) return;
    this.#namespaces.delete(namespace);
    this.#lastPlace = undefined;
  }

  /**
   * Everything, in no useful order. What is added or deleted meanwhile may or may not be seen: the caller checks that
   * what it is given is still there.
   */
  *all(): Generator<T, void, undefined> {
    for (const groups of this.#namespaces.values()) {
      for (const group of groups.values()) yield* membersOf(group);
    }
  }

  /**
   * Those among which every match of a pattern with this prefix is found, and `undefined` for each group passed over,
   * so that a caller who works in slices can stop at any point. The caller may delete what it is given while it goes on,
   * and checks as with {@link all}.
   */
  candidates(prefix: string): Iterable<T | undefined> {
    const end = prefix.indexOf(SEPARATOR);
    if (end === -1) return this.#inNamespaces(prefix);
    const groups = this.#namespaces.get(prefix.slice(0, end));
    if (groups === undefined) return [];
    const rest = prefix.slice(end + SEPARATOR.length);
    const secondEnd = rest.indexOf(SEPARATOR);
    if (secondEnd === -1) return inGroups(groups, rest);
    const group = groups.get(rest.slice(0, secondEnd));
    return group === undefined ? [] : membersOf(group);
  }

  *#inNamespaces(prefix: string): Generator<T | undefined, void, undefined> {
    for (const [namespace, groups] of this.#namespaces) {
      if (!`${namespace}${SEPARATOR}`.startsWith(prefix)) yield undefined;
      else for (const group of groups.values()) yield* membersOf(group);
    }
  }

  #placeOf(key: string): Place<T> {
    const last = this.#lastPlace;
    if (last !== undefined && key.startsWith(last.prefix)) return last;
    const end = key.indexOf(SEPARATOR);
    const start = end === -1 ? key.length : end + SEPARATOR.length;
    const secondEnd = end === -1 ? -1 : key.indexOf(SEPARATOR, start);
    const namespace = end === -1 ? key : key.slice(0, end);
    const second = secondEnd === -1 ? key.slice(start) : key.slice(start, secondEnd);
    let groups = this.#namespaces.get(namespace);
    if (groups === undefined) {
      groups = new SplitMap(GROUPS_TOGETHER);
      this.#namespaces.set(namespace, groups);
    }
    if (secondEnd === -1) return { prefix: key, namespace, second, groups };
    const place = { prefix: key.slice(0, secondEnd + SEPARATOR.length), namespace, second, groups };
    this.#lastPlace = place;
    return place;
  }
}

function* inGroups<T extends Keyed>(
  groups: SplitMap<Group<T>>,
  rest: string,
): Generator<T | undefined, void, undefined> {
  for (const [second, group] of groups.entries()) {
    if (`${second}${SEPARATOR}`.startsWith(rest)) yield* membersOf(group);
    else yield undefined;
  }
}

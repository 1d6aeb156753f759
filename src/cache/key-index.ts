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
  group: Group<T> | undefined;
}

export class KeyIndex<T extends Keyed> {
  readonly #namespaces = new Map<string, SplitMap<Group<T>>>();
  /** Where the last key lay: the next one often lies there too, when a person is loaded or invalidated. */
  #lastPlace: Place<T> | undefined;

  /** Its key must not be in the index yet. */
  add(member: T): void {
    const place = this.#placeOf(member.key);
    const grown = withMember(place.group, member);
    if (grown === place.group) return;
    place.group = grown;
    place.groups.set(place.second, grown);
  }

  delete(member: T): void {
    const place = this.#placeOf(member.key);
    const { namespace, second, groups, group } = place;
    const left = group === undefined ? undefined : withoutMember(group, member);
    if (left === group) return;
    place.group = left;
    if (left === undefined) groups.delete(second);
    else groups.set(second, left);
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
    const start = end + SEPARATOR.length;
    if (prefix.indexOf(SEPARATOR, start) === -1) return inGroups(groups, prefix.slice(start));
    const { group } = this.#placeOf(prefix);
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
    const group = groups.get(second);
    const prefix = secondEnd === -1 ? key : key.slice(0, secondEnd + SEPARATOR.length);
    const place = { prefix, namespace, second, groups, group };
    // A key that ends with its second segment may lie in the group that is remembered, and is about to change it.
    this.#lastPlace = secondEnd === -1 ? undefined : place;
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

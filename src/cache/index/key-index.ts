/**
 * Finds the keys that a pattern covers, in time proportional to what it matches rather than to what is resident.
 *
 * What has a key is kept by namespace and second segment, since that is where patterns cut (`products:*`,
 * `user::42::*`); the members of one group lie together: 20 to 80 bytes a key in all, where a tree of segments took 360
 * (`npm run bench -- memory`). A namespace begins small, too: keys without `::` are one each.
 */
import { namespaceOf, SEPARATOR } from '../keys/keys.ts';
import { type Group, type Keyed, LONGEST_LIST, membersOf, withMember, withoutMember } from './group.ts';
import { SplitMap } from './split-map.ts';

/** Other numbers than the layer's own map of the same keys has, so that they are not split at once. */
const GROUPS_TOGETHER = 6_000;
const NAMESPACES_TOGETHER = 7_000;

/** A few members, or groups of them by their second segments. */
type Namespace<T extends Keyed> = T | T[] | SplitMap<Group<T>>;

interface Place<T extends Keyed> {
  /** What every key of the group begins with. */
  readonly prefix: string;
  readonly namespace: string;
  readonly second: string;
  readonly groups: SplitMap<Group<T>>;
  group: Group<T> | undefined;
}

export class KeyIndex<T extends Keyed> {
  readonly #namespaces = new SplitMap<Namespace<T>>(NAMESPACES_TOGETHER);
  /** Where the last key lay: the next one often lies there too, when a person is loaded or invalidated. */
  #lastPlace: Place<T> | undefined;

  /** Its key must not be in the index yet. */
  add(member: T): void {
    const place = this.#placeOf(member.key);
    if (place === undefined) {
      this.#addToFew(member);
      return;
    }
    const grown = withMember(place.group, member);
    if (grown === place.group) return;
    place.group = grown;
    place.groups.set(place.second, grown);
  }

  #addToFew(member: T): void {
    const namespace = namespaceOf(member.key);
    const few = this.#namespaces.get(namespace) as T | T[] | undefined; // there is no place for it
    if (!Array.isArray(few) || few.length < LONGEST_LIST) {
      this.#namespaces.set(namespace, withMember(few, member) as T | T[]); // no longer than that
      return;
    }
    this.#namespaces.set(namespace, new SplitMap(GROUPS_TOGETHER));
    for (const each of [...few, member]) this.add(each);
  }

  delete(member: T): void {
    const place = this.#placeOf(member.key);
    if (place === undefined) {
      this.#deleteFromFew(member);
      return;
    }
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

  #deleteFromFew(member: T): void {
    const namespace = namespaceOf(member.key);
    const few = this.#namespaces.get(namespace) as T | T[] | undefined; // there is no place for it
    const left = few === undefined ? undefined : (withoutMember(few, member) as T | T[] | undefined);
    if (left === undefined) this.#namespaces.delete(namespace);
    else if (left !== few) this.#namespaces.set(namespace, left);
  }

  /**
   * Everything, in no useful order. What is added or deleted meanwhile may or may not be seen: the caller checks that
   * what it is given is still there.
   */
  *all(): Generator<T, void, undefined> {
    for (const namespace of this.#namespaces.values()) yield* membersIn(namespace);
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
    if (!(groups instanceof SplitMap)) return membersOf(groups);
    const start = end + SEPARATOR.length;
    if (prefix.indexOf(SEPARATOR, start) === -1) return inGroups(groups, prefix.slice(start));
    const group = this.#placeOf(prefix)?.group;
    return group === undefined ? [] : membersOf(group);
  }

  *#inNamespaces(prefix: string): Generator<T | undefined, void, undefined> {
    for (const [name, namespace] of this.#namespaces.entries()) {
      if (!`${name}${SEPARATOR}`.startsWith(prefix)) yield undefined;
      else yield* membersIn(namespace);
    }
  }

  /** `undefined` in a namespace of few members. */
  #placeOf(key: string): Place<T> | undefined {
    const last = this.#lastPlace;
    if (last !== undefined && key.startsWith(last.prefix)) return last;
    const end = key.indexOf(SEPARATOR);
    const start = end === -1 ? key.length : end + SEPARATOR.length;
    const namespace = end === -1 ? key : key.slice(0, end);
    const groups = this.#namespaces.get(namespace);
    if (!(groups instanceof SplitMap)) return undefined;
    const secondEnd = end === -1 ? -1 : key.indexOf(SEPARATOR, start);
    const second = secondEnd === -1 ? key.slice(start) : key.slice(start, secondEnd);
    const group = groups.get(second);
    const prefix = secondEnd === -1 ? key : key.slice(0, secondEnd + SEPARATOR.length);
    const place = { prefix, namespace, second, groups, group };
    // A key that ends with its second segment may lie in the group that is remembered, and is about to change it.
    this.#lastPlace = secondEnd === -1 ? undefined : place;
    return place;
  }
}

function* membersIn<T extends Keyed>(namespace: Namespace<T>): Generator<T, void, undefined> {
  if (!(namespace instanceof SplitMap)) yield* membersOf(namespace);
  else for (const group of namespace.values()) yield* membersOf(group);
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

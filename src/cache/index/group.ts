/**
 * A few things or very many, kept small: a bare thing, then a short list, then a map. Most groups of an index (the keys
 * of one person, the entries with one tag) have one to eight members, where a set of each would take more than they do.
 */
import { SplitMap } from './split-map.ts';

/** Told apart by its key within a group. No array. */
export interface Keyed {
  readonly key: string;
}

export type Group<T extends Keyed> = T | T[] | SplitMap<T>;

/** Beyond this many members, a list is slower to search than a map and no longer smaller. */
export const LONGEST_LIST = 8;

/** The group with one member more; it must not be in it yet. */
export function withMember<T extends Keyed>(group: Group<T> | undefined, member: T): Group<T> {
  if (group === undefined) return member;
  if (group instanceof SplitMap) {
    group.set(member.key, member);
    return group;
  }
  if (!Array.isArray(group)) return [group, member];
  // A list that grows by `push` keeps room for sixteen more.
  if (group.length < LONGEST_LIST) return [...group, member];
  const map = new SplitMap<T>();
  for (const each of group) map.set(each.key, each);
  map.set(member.key, member);
  return map;
}

/** The group without a member of it; `undefined` when nothing is left. */
export function withoutMember<T extends Keyed>(group: Group<T>, member: T): Group<T> | undefined {
  if (group === member) return undefined;
  if (group instanceof SplitMap) {
    group.delete(member.key);
    return group.size <= LONGEST_LIST / 2 ? [...group.values()] : group;
  }
  if (!Array.isArray(group)) return group;
  const at = group.indexOf(member);
  if (at === -1) return group;
  const last = group.pop();
  if (last !== undefined && at < group.length) group[at] = last;
  return group.length === 1 ? group[0] : group;
}

/** The members. The caller may remove what it is given while it goes on. */
export function membersOf<T extends Keyed>(group: Group<T>): Iterable<T> {
  if (group instanceof SplitMap) return group.values();
  // A list is copied since removals change it.
  return Array.isArray(group) ? group.slice() : [group];
}

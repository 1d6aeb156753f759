/**
 * `CDN-Cache-Control` (RFC 9213): a dictionary of structured fields (RFC 9651), which stands for `Cache-Control` and
 * `Expires` for the caches in front of an application. One that is malformed, or empty, is as if it were not there.
 */
import type { Directives } from './cache-control.ts';

/** A member, its value, and its parameters, which say nothing to us. */
const MEMBER =
  /^([a-z*][a-z0-9_\-.*]*)(?:=("(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*"|-?\d{1,15}(?:\.\d{1,3})?|[A-Za-z*][!#$%&'*+.^_`|~\w:/-]*|\?[01]|:[A-Za-z0-9+/=]*:))?(?: *;.*)?$/;

/** `undefined` where the field says nothing. */
export function targetedDirectives(field: string | null | undefined): Directives | undefined {
  const text = (field ?? '').trim();
  if (text === '') return undefined;
  const directives = new Map<string, readonly (string | undefined)[]>();
  for (const part of text.match(/(?:"(?:[^"\\]|\\.)*"|[^,])+|(?<=,)(?=,|$)/g) ?? []) {
    const member = MEMBER.exec(part.trim());
    if (member === null) return undefined;
    const [, name = '', value] = member;
    // Of several the last one counts. A time is an integer here, and no text of digits.
    if (value === '?0') directives.delete(name);
    else directives.set(name, [value === '?1' ? undefined : value]);
  }
  return directives;
}

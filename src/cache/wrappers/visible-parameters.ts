/**
 * How many arguments of a call a function can see, so that others are no part of its keys: `ids.map(getUser)` hands
 * over the place and the list as well. `Function.length` does not tell, since it stops at the first default; the source
 * of the function does, also after a minifier. What cannot be told for certain is `undefined`.
 */

/** @returns `Infinity` for rest parameters */
export function visibleParameters(fn: { readonly length: number }): number | undefined {
  if (typeof fn !== 'function') return undefined;
  const source = Function.prototype.toString.call(fn);
  // Bound and built-in functions show no source; `arguments` and `eval` see what is not declared.
  if (/\[native code\]|\barguments\b|\beval\b/.test(source)) return undefined;
  if (/^(?:async\s+)?[\w$]+\s*=>/.test(source)) return 1;
  const start = source.indexOf('(');
  // The name of a method may be computed, by calls and all else.
  if (start === -1 || /[=[\]'"`/]/.test(source.slice(0, start))) return undefined;
  const count = countParameters(source, start + 1);
  return count !== undefined && count >= fn.length ? count : undefined;
}

/** Counts what stands between commas up to the closing parenthesis. */
function countParameters(source: string, start: number): number | undefined {
  let count = 0;
  let depth = 0;
  let isEmpty = true;
  for (let at = start; at < source.length; at++) {
    const character = source.charAt(at);
    if (character === ')' && depth === 0) return count + (isEmpty ? 0 : 1);
    if (character === '/' || character === "'" || character === '"') {
      const end = endOfSkipped(source, at);
      if (end === undefined) return undefined;
      if (character !== '/') isEmpty = false;
      at = end;
    } else if (character === '`') return undefined;
    else if (character === ',' && depth === 0) {
      count++;
      isEmpty = true;
    } else if (/\s/.test(character)) continue;
    else {
      if (depth === 0 && source.startsWith('...', at)) return Number.POSITIVE_INFINITY;
      isEmpty = false;
      if ('([{'.includes(character)) depth++;
      else if (')]}'.includes(character)) depth--;
    }
  }
  return undefined;
}

/** The last character of a comment or a text; `undefined` for a division or a regular expression. */
function endOfSkipped(source: string, start: number): number | undefined {
  const skipped = /\/\*.*?\*\/|\/\/[^\n]*|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"/sy;
  skipped.lastIndex = start;
  return skipped.test(source) ? skipped.lastIndex - 1 : undefined;
}

/** Whether these are what a list hands to a callback: `map` of an array, a Set, a Map or a Collection of discord.js. */
export function areOfList(args: readonly unknown[]): boolean {
  const [value, place, list] = args;
  if (args.length !== 3 || typeof list !== 'object' || list === null) return false;
  if (list instanceof Set) return list.has(value);
  if (list instanceof Map) return list.get(place) === value;
  return typeof place === 'number' && Reflect.get(list, place) === value;
}

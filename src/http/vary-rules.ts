/**
 * By which request headers the answers of a resource were seen to differ. They are part of the keys of all but the first
 * of its answers, which stays under the key of the resource, so that what is kept stays where it is found.
 *
 * This only says where to look: whether what is found there answers a request is asked of the answer itself. What is
 * forgotten is learnt again from the first answer, so that the table may be small.
 */
import { type RequestHeaders, variantKey } from './outgoing-key.ts';

/** More headers than any API varies by. */
const MAX_NAMES = 16;
/** Longer names are nobody's. */
const MAX_NAME_LENGTH = 64;
/** Most resources vary by nothing, or by what every request of a bot says alike. */
const MAX_RESOURCES = 1_000;

type VaryValues = Readonly<Record<string, string | readonly string[] | null>>;

interface VaryRule {
  /** Of all answers, sorted. */
  readonly names: readonly string[];
  readonly firstNames: readonly string[];
  /** The key of the first answer, did it lie where the others do. */
  readonly firstKey: string;
}

export class VaryRules {
  /** By the key of the resource, the one that was learnt longest ago first. */
  readonly #rules = new Map<string, VaryRule>();

  keyFor(resource: string, headers: RequestHeaders): string {
    const rule = this.#rules.get(resource);
    if (rule === undefined) return resource;
    const isFirst = variantKey(resource, rule.firstNames, headers) === rule.firstKey;
    return isFirst ? resource : variantKey(resource, rule.names, headers);
  }

  /**
   * Learns from an answer that lies at `key` and is not for who asked.
   * @returns false where it differs by too many headers
   */
  learn(resource: string, key: string, vary: VaryValues): boolean {
    const known = this.#rules.get(resource);
    const own = Object.keys(vary);
    const names = [...new Set([...(known?.names ?? []), ...own])].sort();
    if (names.length > MAX_NAMES || own.some((name) => name.length > MAX_NAME_LENGTH)) return false;
    const isFirst = key === resource || known === undefined;
    const firstNames = isFirst ? own : known.firstNames;
    const firstKey = isFirst ? variantKey(resource, own, present(vary)) : known.firstKey;
    this.#rules.delete(resource);
    for (const oldest of this.#rules.keys()) {
      if (this.#rules.size < MAX_RESOURCES) break;
      this.#rules.delete(oldest);
    }
    this.#rules.set(resource, { names, firstNames, firstKey });
    return true;
  }
}

function present(vary: VaryValues): RequestHeaders {
  return Object.fromEntries(Object.entries(vary).map(([name, value]) => [name, value ?? undefined]));
}

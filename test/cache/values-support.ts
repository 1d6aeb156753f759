/** Taking in and giving out values as a cache does that has seen none before. */
import type { ValuesMode } from '../../src/cache/tiers/policy.ts';
import type { NotTaken, Taken } from '../../src/cache/values/take.ts';
import { Values } from '../../src/cache/values/values.ts';

export function takenOf(value: unknown, mode: ValuesMode = 'copy', maxNodes?: number): Taken | NotTaken {
  return new Values().take(value, mode, maxNodes);
}

/** How copies of it are made; why there are none. */
export function formOf(value: unknown, mode?: ValuesMode, maxNodes?: number): string {
  const taken = takenOf(value, mode, maxNodes);
  return taken.refusal === undefined ? taken.form : taken.refusal.reason;
}

/** What is wrong with it, and where; empty where it can be taken. */
export function refusalOf(value: unknown): string {
  return takenOf(value).refusal?.text ?? '';
}

/** Bytes of the copy that is kept. */
export function weightOf(value: unknown, mode?: ValuesMode): number {
  const taken = takenOf(value, mode);
  if (taken.refusal !== undefined) throw new Error(taken.refusal.text);
  return taken.weightBytes;
}

/** What a reader gets of it. */
export function servedOf<T>(value: T, mode: ValuesMode = 'copy'): T {
  const values = new Values();
  const taken = values.take(value, mode);
  if (taken.refusal !== undefined) throw new Error(taken.refusal.text);
  return values.serve(taken, mode) as T;
}

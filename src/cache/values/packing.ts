/** Whether a value is kept compressed, and what is kept of it then. */

import { packedBytes } from '../entry-weight.ts';
import type { Rules } from '../tiers/rules.ts';
import { WORTH_RATIO } from './compression.ts';
import type { Kept } from './copy.ts';
import { pack } from './packed.ts';
import type { Taken } from './take.ts';
import type { ValueTypes } from './value-types.ts';

/** What is kept in place of a heavy value. Readers decode a copy of their own. */
export interface PackedKept {
  readonly kept: Kept;
  readonly weightBytes: number;
}

/** Text that compresses well may still be more than the value takes on the heap: short rows, bytes in a string. */
export function packedIfLighter(
  { value, form, frozen, weightBytes }: Taken,
  rules: Pick<Rules, 'compressAboveBytes' | 'values'>,
  types: ValueTypes,
): PackedKept | undefined {
  if (weightBytes <= rules.compressAboveBytes) return undefined;
  const packed = pack(value, types);
  if (packed === undefined || packedBytes(packed) > weightBytes * WORTH_RATIO) return undefined;
  const isFrozen = frozen !== undefined || (form === 'shared' && rules.values === 'frozen');
  return {
    kept: { value: packed, form: 'graph', frozen: isFrozen ? 'in-part' : undefined },
    weightBytes: packedBytes(packed),
  };
}

/** How one cache takes in values and gives them out: with the classes it was taught and the shapes it has seen. */
import type { ValuesMode } from '../tiers/policy.ts';
import { type Kept, servedCopy } from './copy.ts';
import { Shapes } from './shapes.ts';
import { type NotTaken, type Taken, take } from './take.ts';
import { type ValueType, ValueTypes } from './value-types.ts';

export class Values {
  readonly types: ValueTypes;
  readonly #shapes = new Shapes();

  /** @throws CacheError `ERR_ARGUMENT_INVALID` for value types that make no sense */
  constructor(types: readonly ValueType[] = []) {
    this.types = new ValueTypes(types);
  }

  /**
   * Takes a copy of a value that is to be kept. Never throws: where the `copy` or `weigh` of a taught class does, the value
   * is refused, with the error.
   */
  take(value: unknown, mode: ValuesMode, maxNodes?: number): Taken | NotTaken {
    try {
      return take(value, mode, { shapes: this.#shapes, types: this.types }, maxNodes);
    } catch (error) {
      return { refusal: { reason: 'unsafe', text: 'it could not be copied', error } };
    }
  }

  /**
   * What a reader gets of what is kept.
   * @throws what the `copy` or `decode` of a taught class throws
   */
  serve(kept: Kept, mode: ValuesMode): unknown {
    return servedCopy(kept, mode, this.types);
  }
}

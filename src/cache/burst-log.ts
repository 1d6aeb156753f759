/** Says a recurring fault once a burst: the first time, then how often it recurred when it is said again. */
import { guardedLogger, type Logger } from '../logger.ts';
import type { Clock } from './clock.ts';

const QUIET_MS = 60_000;
const MAX_SUBJECTS = 100;

export class BurstLog {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #subjects = new Map<string, { saidAt: number; unsaid: number }>();

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    // A broken logger must not break the read that wants to tell it something (I4).
    this.#logger = guardedLogger(logger);
  }

  warn(subject: string, message: string, fields: Readonly<Record<string, unknown>>): void {
    const now = this.#clock.now();
    const known = this.#subjects.get(subject);
    if (known !== undefined && now - known.saidAt < QUIET_MS) {
      known.unsaid++;
      return;
    }
    if (known === undefined && this.#subjects.size >= MAX_SUBJECTS) this.#subjects.clear();
    this.#subjects.set(subject, { saidAt: now, unsaid: 0 });
    const again = known === undefined || known.unsaid === 0 ? {} : { timesSinceSaid: known.unsaid };
    this.#logger.warn(message, { ...fields, ...again });
  }
}

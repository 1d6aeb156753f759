/**
 * The audit log: every line goes to the log, to the host's sink and, where one is configured, to a Discord channel.
 * In the channel ids within keys are masked and nobody is pinged. Whatever fails, `record` does not, and a flood of
 * refusals makes one line a person and minute.
 */
import { BurstLog } from '../cache/burst-log.ts';
import type { Clock } from '../cache/clock.ts';
import type { Logger } from '../logger.ts';
import type { AuditEntry } from './audit-entry.ts';
import type { AuditLog } from './command.ts';
import { Cooldown } from './cooldown.ts';
import { incidentReference } from './incident.ts';
import { instant } from './views/format.ts';
import { keyText } from './views/key-text.ts';

/** Lines that wait for the channel; Discord takes about one a second. */
const MAX_WAITING = 100;
const REFUSALS_EVERY_MS = 60_000;

export interface AuditLogOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly sink?: ((entry: AuditEntry) => void) | undefined;
  /** Sends a line to the audit channel. @default no channel */
  readonly post?: ((content: string) => Promise<unknown>) | undefined;
}

export class Audit implements AuditLog {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #log: BurstLog;
  readonly #sink: AuditLogOptions['sink'];
  readonly #post: AuditLogOptions['post'];
  readonly #refusals: Cooldown;
  readonly #waiting: string[] = [];
  #sending: Promise<void> | undefined;

  constructor({ clock, logger, sink, post }: AuditLogOptions) {
    this.#clock = clock;
    this.#logger = logger;
    this.#log = new BurstLog(clock, logger);
    this.#sink = sink;
    this.#post = post;
    this.#refusals = new Cooldown(clock, REFUSALS_EVERY_MS);
  }

  record(line: Parameters<AuditLog['record']>[0]): AuditEntry {
    const at = this.#clock.epochAt(this.#clock.now());
    const entry: AuditEntry = { ...line, at, reference: line.reference ?? incidentReference() };
    if (entry.action === 'refused' && !this.#refusals.take(entry.userId).ok) return entry;
    this.#attempt('the log', () => this.#logger.info(`Cache commands: ${entry.action}`, { ...entry }));
    this.#attempt('the sink', () => this.#sink?.(entry));
    if (this.#post !== undefined) this.#queue(auditLine(entry));
    return entry;
  }

  /** Resolves when the lines waiting for the channel are sent, or could not be. */
  async flush(): Promise<void> {
    await this.#sending;
  }

  #attempt(where: string, keep: () => void): void {
    try {
      keep();
    } catch (error) {
      this.#log.warn(where, `An audit line could not be kept in ${where}.`, { error });
    }
  }

  #queue(line: string): void {
    if (this.#waiting.length >= MAX_WAITING) {
      this.#log.warn('full', 'The audit channel takes lines too slowly; some are in the log only.', {});
      return;
    }
    this.#waiting.push(line);
    this.#sending ??= this.#send().finally(() => {
      this.#sending = undefined;
    });
  }

  async #send(): Promise<void> {
    for (let line = this.#waiting.shift(); line !== undefined; line = this.#waiting.shift()) {
      try {
        await this.#post?.(line);
      } catch (error) {
        this.#log.warn(
          'channel',
          'An audit line did not reach the audit channel: check `admin.audit_channel_id`, and that the bot may write there.',
          { error },
        );
      }
    }
  }
}

/** A line as the channel shows it: who, what, on what, what came of it. */
export function auditLine(entry: AuditEntry): string {
  const { action, userId, command, target, outcome, reference, at } = entry;
  const what = target === '' ? '' : ` ${keyText(maskIds(target))}`;
  return `${instant(at, 't')} **${action}** by <@${userId}>: /${command}${what} → ${keyText(maskIds(outcome), 200)} · ${reference}`;
}

/** `user::123456789012345678::profile` becomes `user::…5678::profile`. */
export function maskIds(text: string): string {
  return text.replace(/\d{9,}(?=\d{4})/g, '…');
}

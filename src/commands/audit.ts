/**
 * The audit log: every line goes to the log, to the host's sink and, where one is configured, to a Discord channel.
 * In the channel ids within keys are masked and nobody is pinged. Whatever fails, `record` does not. Of the same attempt
 * by the same person one refusal a minute is kept, and of completions one where nothing else of that person is. In the
 * channel acts go before refusals and are never left out: where many wait, several go in one message.
 */
import { BurstLog } from '../cache/burst-log.ts';
import type { Clock } from '../cache/clock.ts';
import { withoutSecretsIn } from '../logger/secrets.ts';
import type { Logger } from '../logger.ts';
import type { AuditEntry } from './audit-entry.ts';
import type { AuditLog } from './command.ts';
import { Cooldown } from './cooldown.ts';
import { incidentReference } from './incident.ts';
import { instant } from './views/format.ts';
import { keyText } from './views/key-text.ts';

/** The channel takes about one message a second: where more acts wait than this, they share messages. */
const MESSAGES_OF_ONE_LINE = 25;
/** Discord takes 2,000 characters. */
const MAX_MESSAGE_LENGTH = 2_000;
const MAX_WAITING_REFUSALS = 100;
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
  readonly #acts: string[] = [];
  readonly #waitingRefusals: string[] = [];
  /** Refusals that found no room, and are in the log only. */
  #leftOut = 0;
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
    const entry: AuditEntry = withoutSecretsIn({
      ...line,
      at,
      reference: line.reference ?? incidentReference(),
    });
    if (entry.action === 'refused' && !this.#isNewRefusal(entry)) return entry;
    this.#attempt('the log', () => this.#logger.info(`Cache commands: ${entry.action}`, { ...entry }));
    this.#attempt('the sink', () => this.#sink?.(entry));
    if (this.#post !== undefined) this.#queue(entry);
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

  #isNewRefusal({ userId, command, target, outcome }: AuditEntry): boolean {
    const isFirst = this.#refusals.take(userId).ok;
    // Whoever is refused types, too: that must not hide what they try, and tells nothing more beside it.
    if (target === 'autocomplete') return isFirst;
    return this.#refusals.take([userId, command, target, outcome].join('\0')).ok;
  }

  #queueAct(line: string): void {
    const last = this.#acts.at(-1);
    if (last === undefined || this.#acts.length < MESSAGES_OF_ONE_LINE) {
      this.#acts.push(line);
      return;
    }
    this.#log.warn('full', 'The audit channel takes lines too slowly; several go in one message.', {});
    if (last.length + line.length < MAX_MESSAGE_LENGTH) this.#acts.splice(-1, 1, `${last}\n${line}`);
    else this.#acts.push(line);
  }

  #queue(entry: AuditEntry): void {
    if (entry.action !== 'refused') this.#queueAct(auditLine(entry));
    else if (this.#waitingRefusals.length < MAX_WAITING_REFUSALS) {
      this.#waitingRefusals.push(auditLine(entry));
    } else {
      this.#leftOut++;
      const message = 'The audit channel takes lines too slowly; some refusals are in the log only.';
      this.#log.warn('refusals', message, {});
      return;
    }
    this.#sending ??= this.#send().finally(() => {
      this.#sending = undefined;
    });
  }

  #next(): string | undefined {
    const line = this.#acts.shift() ?? this.#waitingRefusals.shift();
    if (line !== undefined || this.#leftOut === 0) return line;
    const more = this.#leftOut;
    this.#leftOut = 0;
    return `… and ${more} more ${more === 1 ? 'refusal' : 'refusals'}, in the log only.`;
  }

  async #send(): Promise<void> {
    for (let line = this.#next(); line !== undefined; line = this.#next()) {
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

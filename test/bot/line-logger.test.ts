/** The bot's log as people read it. */
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { lineLogger } from '../../src/bot/line-logger.ts';

const TOKEN = 'MTE.very-secret.token-of-a-bot';

function written(options: { debug?: boolean; secrets?: (string | undefined)[] } = {}) {
  const lines: string[] = [];
  const logger = lineLogger({
    ...options,
    now: () => new Date(2026, 0, 31, 9, 5, 7),
    write: (line) => void lines.push(stripVTControlCharacters(line)),
  });
  return { logger, lines };
}

describe('a line', () => {
  it('has the time, the level, the message and its fields', () => {
    const { logger, lines } = written();
    logger.info('Ready.');
    logger.warn('Slow.', { ms: 12, where: 'here', nothing: undefined, no: null });
    expect(lines).toEqual(['09:05:07 info  Ready.\n', '09:05:07 warn  Slow. (ms 12, where here)\n']);
  });

  it('of an error has its stack and cause; of a warning its message alone', () => {
    const { logger, lines } = written();
    const error = new Error('outer', { cause: new TypeError('inner') });
    logger.error('Failed.', { error });
    logger.warn('Failed.', { error });
    expect(lines[0]).toMatch(
      /Failed\. \(error Error: outer\)\n {4}at .*\n(.*\n)* {2}caused by TypeError: inner\n$/,
    );
    expect(lines[1]).toBe('09:05:07 warn  Failed. (error Error: outer)\n');
  });

  it('never shows a secret, wherever it stands', () => {
    const { logger, lines } = written({ secrets: [TOKEN, undefined, ''] });
    logger.info(`Token ${TOKEN} and again ${TOKEN}`);
    logger.error('Failed.', { error: new Error(`no ${TOKEN}`), nested: { token: TOKEN } });
    expect(lines.join('')).not.toContain(TOKEN);
    expect(lines[0]).toContain('Token [secret] and again [secret]');
  });

  it('survives fields that cannot be written as JSON', () => {
    const { logger, lines } = written();
    const circle: { self?: object; big: bigint } = { big: 1n };
    circle.self = circle;
    logger.info('Odd.', { circle, big: 2n });
    expect(lines[0]).toContain('Odd. (circle ');
    expect(lines[0]).toContain('big 2');
  });

  it('stays one line when a field has line breaks', () => {
    const { logger, lines } = written();
    logger.info('Odd.', { name: 'a\nb\u001b[31m' });
    expect(lines[0]).toBe('09:05:07 info  Odd. (name a\\nb\\u001b[31m)\n');
  });

  it('for debugging is written only when that is asked for', () => {
    const [quiet, loud] = [written(), written({ debug: true })];
    quiet.logger.debug('detail');
    loud.logger.debug('detail');
    expect([quiet.lines.length, loud.lines.length]).toEqual([0, 1]);
  });
});

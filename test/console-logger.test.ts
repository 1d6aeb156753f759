/** What a bot without a logger of its own sees on its console. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { consoleLogger } from '../src/logger/console-logger.ts';

const TOKEN = `${'MTIzNDU2Nzg5MDEyMzQ1Njc4'}.GabcDe.${'x'.repeat(38)}`;
let lines: unknown[][] = [];

beforeEach(() => {
  lines = [];
  for (const level of ['debug', 'info', 'warn', 'error'] as const) {
    vi.spyOn(console, level).mockImplementation((...words) => void lines.push([level, ...words]));
  }
});
afterEach(() => vi.restoreAllMocks());

describe('the logger of a bot that names none', () => {
  it('writes one text for each message, at its level', () => {
    consoleLogger.info('Ready.');
    consoleLogger.warn('Slow.', { ms: 12, where: { key: 'a' }, nothing: undefined });
    consoleLogger.error('Failed.', { error: new TypeError('no') });
    expect(lines).toEqual([
      ['info', '[cachecord] Ready.'],
      ['warn', '[cachecord] Slow. (ms 12, where {"key":"a"})'],
      ['error', '[cachecord] Failed. (error TypeError: no)'],
    ]);
  });

  it('keeps an error with its causes, and with the errors of an aggregate, on that line', () => {
    const parts = new AggregateError([new Error('first\nsecond line'), 'text'], 'both');
    consoleLogger.error('Failed.\nBadly.', { error: new Error('outer', { cause: parts }) });
    expect(lines).toEqual([
      [
        'error',
        '[cachecord] Failed.\\nBadly. (error Error: outer, caused by AggregateError: both [Error: first\\nsecond line; text])',
      ],
    ]);
  });

  it('ends where causes lead back to themselves', () => {
    const error = new Error('round');
    error.cause = error;
    consoleLogger.warn('Failed.', { error });
    expect(String(lines[0]?.[1]).match(/round/g)).toHaveLength(5);
  });

  it('leaves out details for debugging', () => {
    consoleLogger.debug('Looked.', { key: 'a' });
    expect(lines).toEqual([]);
  });

  it.each([
    ['a bot token', TOKEN, TOKEN],
    ['the token of an interaction', '/interactions/123456789012345678/abcDEF_1/callback', 'abcDEF_1'],
    ['a password in an address', 'redis://me:hunter2@host', 'hunter2'],
  ])('never shows %s', (_, text, secret) => {
    consoleLogger.error(`In ${text}.`, { error: new Error(text, { cause: text }), deep: { text } });
    expect(lines).toHaveLength(1);
    expect(String(lines[0]?.[1])).not.toContain(secret);
  });
});

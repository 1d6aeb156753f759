/** What people are told when the bot can't go on. */
import { DiscordAPIError, DiscordjsError, DiscordjsErrorCodes } from 'discord.js';
import { describe, expect, it } from 'vitest';
import { closingError, failureText, StartError } from '../../src/bot/failure.ts';
import { CacheError } from '../../src/cache/errors.ts';
import { DatabaseError } from '../../src/db/errors.ts';

const withCode = (code: string, message = code) => Object.assign(new Error(message), { code });

describe('a failure', () => {
  it('of our own is told in its own words', () => {
    expect(failureText(new CacheError('ERR_CONFIG_INVALID', 'two problems'))).toBe('two problems');
    expect(failureText(new DatabaseError('ERR_DB_PATH', '/x', 'no room'))).toBe('no room');
    expect(failureText(new StartError('no token'))).toBe('no token');
  });

  it.each([
    'ECONNREFUSED',
    'ENOTFOUND',
    'EAI_AGAIN',
    'ETIMEDOUT',
    'UND_ERR_CONNECT_TIMEOUT',
    'CERT_HAS_EXPIRED',
  ])('of the network (%s) says that Discord is out of reach', (code) => {
    expect(failureText(withCode(code))).toContain("Discord can't be reached");
    const wrapped = new TypeError('fetch failed', { cause: withCode(code, 'the reason') });
    expect(failureText(wrapped)).toContain("Discord can't be reached: the reason");
  });

  it("of Discord's names its status", () => {
    const error = new DiscordAPIError(
      { message: 'Oh no', code: 0 },
      0,
      503,
      'GET',
      'https://discord.com',
      {},
    );
    expect(failureText(error)).toContain('Discord answered 503');
  });

  it('of the token says where a new one comes from', () => {
    // Its constructor is private to discord.js.
    const Made = DiscordjsError as unknown as new (code: DiscordjsErrorCodes) => Error;
    expect(failureText(new Made(DiscordjsErrorCodes.TokenInvalid))).toContain('check DISCORD_TOKEN');
  });

  it('that nobody foresaw is told as it came', () => {
    expect(failureText(new RangeError('odd'))).toBe('RangeError: odd');
    expect(failureText('odd')).toBe('odd');
  });
});

describe('a gateway that closes for good', () => {
  it.each([
    [4004, 'DISCORD_TOKEN'],
    [4011, 'shard'],
    [4013, 'discord.js'],
    [4014, 'Privileged Gateway Intents'],
    [4999, 'code 4999'],
  ])('with %i says what to do', (code, words) => {
    expect(closingError(code).message).toContain(words);
  });
});

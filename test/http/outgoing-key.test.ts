/** What keys of other APIs' answers show of a path: words, numbers and ids, and nothing that looks like a key. */
import { describe, expect, it } from 'vitest';
import { compilePattern } from '../../src/cache/keys/pattern.ts';
import { apiPattern, resourceKey } from '../../src/http/outgoing-key.ts';

const of = (path: string) => resourceKey('https://api.example.com', 'GET', path);

describe('a key of an answer', () => {
  it.each([
    '0123456789abcdef01234567',
    'deadbeefdeadbeef',
    'abcdefabcdefabcdef',
    '0123456789012345678901234567890123456789',
    'AIzaSyA1234567890abcdefghij',
    'qWeRtYuIoPaSdFgHjK',
    '550e8400-e29b-41d4-a716-446655440000',
    'app_5f3c9a7be21d40c8a6b1',
  ])('hides what looks like a key of the API: %s', (secret) => {
    const key = of(`/v6/${secret}/latest/USD`);
    expect(key).not.toContain(secret);
    expect(key).toMatch(/GET \/v6\/%h[\w-]{43}\/latest\/USD$/);
    expect(of(`/v6/${secret}x/latest/USD`)).not.toBe(key);
  });

  it.each([
    '/api/v10/users/123456789012345678',
    '/exchangeRatesHistorical/summaries-of-championships/2024',
    '/internationalization/en_US/messages.json',
    '/repos/discordjs/discord.js/releases/tags/14.21.0',
  ])('shows what people read: %s', (path) => {
    expect(of(path)).toContain(`GET ${path}`);
  });

  it('is covered by the pattern of its path, hidden parts included', () => {
    const path = '/v6/0123456789abcdef01234567/latest/USD';
    for (const wanted of [path, '/v6/0123456789abcdef01234567/*', '/v6/*']) {
      const pattern = compilePattern(apiPattern('https://api.example.com', wanted));
      expect(pattern.matches(of(path)), wanted).toBe(true);
    }
  });
});

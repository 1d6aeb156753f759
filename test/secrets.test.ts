/** What is secret by its form leaves in no text; ordinary texts are left alone. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shownError, withoutSecrets, withoutSecretsIn } from '../src/logger/secrets.ts';
import { guardedLogger, type Logger, silentLogger } from '../src/logger.ts';

const alphabet = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
const textOf = (characters: string, minLength: number, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...characters), minLength, maxLength });
/** Not a word: a digit stands in it. */
const random = (characters: string, min: number, max: number) =>
  fc.tuple(textOf(characters, min, max), fc.nat({ max: 9 })).map(([text, digit]) => `q${text}${digit}Z`);

const token = random(alphabet, 16, 40);
const password = random(`${alphabet}@/:?#!$%^*~.+=-_`, 4, 30);

const WHERE: readonly ((secret: string) => string)[] = [
  (secret) => `api_key=${secret}`,
  (secret) => `https://api.example.com/v1/rates?base=USD&apikey=${secret}`,
  (secret) => `"access_token":"${secret}"`,
  (secret) => `{ accessToken: '${secret}' }`,
  (secret) => `Authorization: Bearer ${secret}`,
  (secret) => `Bearer ${secret}`,
  (secret) => `authorization: Basic ${secret}=`,
  (secret) => `https://discord.com/api/v10/webhooks/1234567890123456789/${secret}`,
  (secret) => `https://hooks.slack.com/services/T000/B000/${secret}`,
  (secret) => `eyJhbGciOiJIUzI1NiJ9.${secret}.${secret}`,
  (secret) => `MTIzNDU2Nzg5MDEyMzQ1Njc4.GabcDe.${secret}${secret}`,
  (secret) => `DISCORD_TOKEN=${secret}`,
  (secret) => `x-api-key: ${secret}`,
];
const WITH_PASSWORD: readonly ((secret: string) => string)[] = [
  (secret) => `postgres://bot:${secret}@db.internal:5432/shop`,
  (secret) => `redis://:${secret}@cache:6379`,
  (secret) => `mongodb+srv://bot:${secret}@cluster0.example.net/?retryWrites=true`,
  (secret) => `https://bot:${secret}@example.com/feed`,
  (secret) => `bot:${secret}@db:5432/shop`,
  (secret) => `host=db user=bot password=${secret} dbname=shop`,
  (secret) => `Server=db;Pwd=${secret}`,
  (secret) => `password='${secret} with blanks'`,
  (secret) => `{"user":"bot","password":"${secret}"}`,
];
const AROUND = ['connect ECONNREFUSED', 'Cannot reach', 'failed:', '(see the log)', 'again in 5 s,', ''];

function everywhere(secret: string, text: string): void {
  const lines: string[] = [];
  const warn: Logger['warn'] = (message, fields) => void lines.push(message, JSON.stringify(fields));
  guardedLogger({ ...silentLogger, warn }).warn(text, { error: text, nested: { cause: [text] } });
  for (const output of [withoutSecrets(text), shownError(text), ...lines])
    expect(output).not.toContain(secret);
  const { error } = withoutSecretsIn({ error: new Error(text, { cause: new TypeError(text) }) });
  expect(`${error.message}${error.stack}${String(error.cause)}`).not.toContain(secret);
  expect(error).toBeInstanceOf(Error);
}

describe('a secret', () => {
  it('leaves in no text of an error, wherever it stands there', () => {
    const around = fc.constantFrom(...AROUND);
    fc.assert(
      fc.property(token, fc.constantFrom(...WHERE), around, around, (secret, put, before, after) => {
        everywhere(secret, `${before} ${put(secret)} ${after}`);
      }),
      { numRuns: 2_000 },
    );
  });

  it('is a password of any signs, @ and / included', () => {
    const around = fc.constantFrom(...AROUND);
    fc.assert(
      fc.property(
        password,
        fc.constantFrom(...WITH_PASSWORD),
        around,
        around,
        (secret, put, before, after) => {
          everywhere(secret, `${before} ${put(secret)} ${after}`);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ['postgres://bot:hunter2@db/shop is gone', 'postgres://[credentials]@db/shop is gone'],
    ['postgres://bot:hun@ter/2@db:5432/shop', 'postgres://[credentials]@db:5432/shop'],
    ['GET https://x.example/a?api_key=abc failed', 'GET https://x.example/a?api_key=[secret] failed'],
    ['Authorization: Bearer abc', 'Authorization: Bearer [secret]'],
    ['password: hunter2.', 'password: [secret].'],
  ])('%s', (text, shown) => {
    expect(withoutSecrets(text)).toBe(shown);
  });

  it('is what a field holds that is called so', () => {
    const fields = { options: { password: 'plain', user: 'bot' }, headers: { Authorization: 'x' } };
    expect(withoutSecretsIn(fields)).toEqual({
      options: { password: '[secret]', user: 'bot' },
      headers: { Authorization: '[secret]' },
    });
  });
});

describe('a path of the host', () => {
  it.each([
    [
      "ENOENT: no such file or directory, open '/home/ada/my bot/shop.db'",
      "ENOENT: no such file or directory, open '[path]'",
    ],
    ['SQLITE_CANTOPEN /var/lib/bot/cache.db', 'SQLITE_CANTOPEN [path]'],
    ['cannot open C:\\Users\\ada\\bot.db', 'cannot open [path]'],
    ['Cannot find module file:///srv/bot/index.js', 'Cannot find module [path]'],
    ['bad dsn sqlite:/srv/bot/shop.db', 'bad dsn [path]'],
  ])('is not shown to people: %s', (text, shown) => {
    expect(shownError(text)).toBe(shown);
    // The log is on that host, and whoever reads it needs the path.
    expect(withoutSecrets(text)).toBe(text);
  });
});

describe('an ordinary text', () => {
  it.each([
    'UNIQUE constraint failed: users.email',
    'Unexpected token < in JSON at position 0',
    'Unexpected token: expected a name',
    'Invalid password: too short',
    'Bearer token is missing, Basic authentication is off, Bot users are left out',
    'https://example.com/@ada/posts?page=2#top and http://localhost:3000/@ada',
    'http://api.example.com:8080/users/ada@example.com',
    'mailto:ada@example.com, npm:@scope/name@1.2.3',
    'user::123456789012345678::profile',
    'query::search::%hAbCdEfGhIjKlMnOpQrStUvWxYz0123456789_-AbCdEf',
    'api::https%3A//api.example.com::GET /v6/latest/USD',
    'token::42::name, tag:secret::*, password::reset::7',
    'Request failed with 503 after 3 retries in 1.5 s',
    '`products:*` → 12 entries, ≈ 6.5 kB',
    '<t:1767225600:R> **clear** by <@400000000000000001>: /cache-clear `user::…5678::profile`',
    'key=user::1 table=orders limit=20',
  ])('is left alone: %s', (text) => {
    expect(withoutSecrets(text)).toBe(text);
    expect(withoutSecretsIn(text)).toBe(text);
  });

  it('of words and numbers is left alone, too', () => {
    const word = fc.constantFrom(
      'load',
      'of',
      'user',
      '42',
      '3.5',
      'failed:',
      '(again)',
      'token',
      'and/or',
      'a=1',
      '→',
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 12 }), (words) => {
        const text = words.join(' ');
        expect(withoutSecrets(text)).toBe(text);
        expect(shownError(text)).toBe(text);
      }),
    );
  });
});

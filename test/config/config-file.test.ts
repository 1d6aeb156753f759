/** Which file configures Cachecord, in the folder of a bot that has a config.json of its own. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { loadConfig, parseConfig } from '../../src/config/config.ts';

const TOKEN = `${'MTIzNDU2Nzg5MDEyMzQ1Njc4'}.GabcDe.${'x'.repeat(38)}`;
/** The file of the discord.js guide. */
const GUIDE = { token: TOKEN, clientId: '123456789012345678', guildId: '223456789012345678' };

let folder = '';
let lines: string[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cachecord-files-'));
  vi.spyOn(process, 'cwd').mockReturnValue(folder);
  lines = [];
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

function write(name: string, content: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}
const at = (level: string) => (line: string) => void lines.push(`${level} ${line}`);
const load = () => loadConfig({ env: {}, logger: { info: at('info'), warn: at('warn') } });
function complaint(act: () => unknown = load): string {
  try {
    act();
  } catch (error) {
    expect(error).toMatchObject({ name: 'CacheError', code: 'ERR_CONFIG_INVALID' });
    return String((error as Error).message);
  }
  throw new Error('it was accepted');
}

describe('the file that is read', () => {
  it('is none where there is none, which is no line: the defaults hold', () => {
    expect(load()).toEqual(parseConfig({}));
    expect(lines).toEqual([]);
  });

  it("is not the guide's config.json, which is the bot's own, and one line says where settings belong", () => {
    const path = write('config.json', GUIDE);
    expect(load()).toEqual(parseConfig({}));
    expect(lines).toEqual([
      expect.stringMatching(/^info .*config\.json has no section "cache".*cachecord\.json/),
    ]);
    expect(lines[0]).toContain(path);
  });

  it('is cachecord.json first, and one line says so', () => {
    write('config.json', GUIDE);
    const path = write('cachecord.json', { cache: { max_size_mb: 5 } });
    expect(load()).toMatchObject({ cache: { maxWeightBytes: 5 * 1_024 ** 2 }, source: { path } });
    expect(lines).toEqual([`info Cachecord is configured by ${path}.`]);
  });

  it('is cachecord.json also where config.json has sections of ours, and a warning says that these are not read', () => {
    write('config.json', { ...GUIDE, cache: { max_size_mb: 9 } });
    write('cachecord.json', { cache: { max_size_mb: 5 } });
    expect(load().cache.maxWeightBytes).toBe(5 * 1_024 ** 2);
    expect(lines).toEqual([
      expect.stringMatching(/^warn .*The sections of Cachecord in config\.json are not read\.$/),
    ]);
  });

  it('is config.json where it has a section of ours, beside whatever the bot keeps there', () => {
    const path = write('config.json', {
      ...GUIDE,
      prefix: '!',
      cache: { max_size_mb: 7 },
      admin: { guild_ids: [GUIDE.guildId] },
      database: { host: 'localhost', user: 'bot', password: 'hunter2' },
      api: 'https://example.org',
      caches: 3,
    });
    const config = load();
    expect(config).toMatchObject({
      cache: { maxWeightBytes: 7 * 1_024 ** 2 },
      admin: { guildIds: [GUIDE.guildId] },
      database: { path: './data/shop.db' },
      source: { path },
    });
    expect(lines).toEqual([`info Cachecord is configured by ${path}.`]);
  });

  it.each([
    ['a list of admins', { ...GUIDE, admin: ['123'] }],
    ['the id of an admin', { ...GUIDE, admin: '123' }],
    ['admins in a shape of its own', { ...GUIDE, admin: { owner: '123' } }],
    ['a database of its own', { database: { host: 'localhost', name: 'bot' } }],
    ['a switch named cache', { ...GUIDE, cache: true }],
    ['a list', ['token']],
    ['a text', '"token"'],
    ['a byte order mark', `\uFEFF${JSON.stringify(GUIDE)}`],
  ])("is not config.json where it is the bot's own with %s", (_, content) => {
    write('config.json', content);
    expect(load()).toEqual(parseConfig({}));
    expect(lines).toHaveLength(1);
  });

  it.each([
    [
      'only the admins',
      { ...GUIDE, admin: { user_ids: [GUIDE.clientId] } },
      { admin: { userIds: [GUIDE.clientId] } },
    ],
    ['only the warmers', { ...GUIDE, warmers: { concurrency: 9 } }, { warmers: { concurrency: 9 } }],
    ["the reference bot's names alone", { api: { port: 0 }, admin: {} }, { api: { port: 0 } }],
  ])('is config.json where it says %s', (_, content, expected) => {
    write('config.json', content);
    expect(load()).toMatchObject(expected);
  });

  it('is read strictly where it is named, also when it is the one of the guide', () => {
    const path = write('config.json', { ...GUIDE, cache: {} });
    const message = complaint(() => loadConfig({ path, env: {} }));
    expect(message).toContain('token: secrets do not belong in the configuration');
    expect(message).toContain('clientId: unknown name');
    expect(message).not.toContain(TOKEN);
  });

  it('named by a relative path is one of the working directory', () => {
    const previous = process.cwd();
    expect(previous).toBe(folder);
    mkdirSync(join(folder, 'inner'));
    expect(() => loadConfig({ path: join(folder, 'inner'), env: {} })).toThrow(
      "can't be read: it is a folder",
    );
  });
});

describe('what is wrong in a file', () => {
  it("is told of our sections alone, with the way out, and the bot's token is not repeated", () => {
    write('config.json', { ...GUIDE, tokn: TOKEN, cache: { max_size: 5 }, admin: { guild_id: [TOKEN] } });
    const message = complaint();
    expect(message).toContain('cache.max_size: unknown name, did you mean "max_size_mb"?');
    expect(message).toContain('admin.guild_id: unknown name, did you mean "guild_ids"?');
    expect(message).toContain('put what concerns Cachecord into cachecord.json');
    expect(message).not.toContain(TOKEN);
    expect(message).not.toContain('tokn');
  });

  it.each([
    ['chache', { ttl_user: 5 }, 'cache'],
    ['admn', { guild_ids: [] }, 'admin'],
    ['warmer', { concurrency: 2 }, 'warmers'],
  ])('is the name of a section: %s', (name, section, meant) => {
    write('config.json', { ...GUIDE, [name]: section });
    expect(complaint()).toContain(`${name}: unknown name, did you mean "${meant}"?`);
  });

  it('is every unknown name in cachecord.json', () => {
    write('cachecord.json', { cache: {}, clientId: '1', token: TOKEN });
    const message = complaint();
    expect(message).toContain('clientId: unknown name');
    expect(message).toContain('token: secrets do not belong');
    expect(message).not.toContain(TOKEN);
  });

  it.each([
    `{ "token": "${TOKEN}", "clientId": "1", }`,
    `{ token: '${TOKEN}' }`,
    `{\n  // the bot\n  "token": "${TOKEN}"\n}`,
  ])("is not the grammar of the bot's own config.json: %j", (text) => {
    write('config.json', text);
    expect(load()).toEqual(parseConfig({}));
    expect(lines.join()).not.toContain(TOKEN);
  });

  it.each([
    ['a comma after our section', `{ "token": "${TOKEN}", "cache": {}, }`],
    ['a token without quotes', `{ "cache": {}, "token": ${TOKEN} }`],
    ['a token that is not closed', `{ "cache": {}, "token": "${TOKEN}\n}`],
    ['a token far on in its line', `{ "cache": {}, ${' '.repeat(40)} "token": "${TOKEN}" "prefix": 1 }`],
    ['a password that is not quoted', `{ "cache": {}, "password": hunter2 }`],
    ['a password on the next line', `{ "cache": {}, "password":\n hunter2 }`],
    ['nothing at all', ''],
  ])('is the grammar of a config.json that is ours or may be, and no secret is shown: %s', (_, text) => {
    write('config.json', text);
    const message = complaint();
    expect(message).toMatch(/line \d+, column \d+: /);
    expect(message).toContain('cachecord.json');
    for (const secret of [TOKEN.slice(0, 20), TOKEN.slice(-20), 'hunter2'])
      expect(message).not.toContain(secret);
  });
});

describe('the arguments of loadConfig', () => {
  it.each([
    ['./config.json', "options is a text, expected an object: write { path: '…' }"],
    [{ file: 'a.json' }, 'there is no option "file"'],
    [{ path: 5 }, "path is a number, expected a file's path"],
    [null, 'takes an object of options, not null'],
  ])('%j is refused', (options, words) => {
    expect(() => loadConfig(options as never)).toThrow(
      expect.objectContaining({ code: 'ERR_ARGUMENT_INVALID', message: expect.stringContaining(words) }),
    );
  });
});

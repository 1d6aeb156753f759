/** What leaves by the commands: no secret of a failing source, and no second meaning of a second press. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Desk, desk, fillShop } from './desk.ts';
import { warmReport, warmTask } from './stats-data.ts';

function opened(fill: (at: Desk) => void = ({ cache }) => fillShop(cache)): Desk {
  const at = desk();
  onTestFinished(() => at.stop());
  fill(at);
  return at;
}

const SECRETS = ['hunter2', 'p@ss/word', '0123456789abcdef01234567', 'abcDEF123456ghi'];
const FAILURES = [
  'connect postgres://bot:hunter2@db.internal/shop ECONNREFUSED',
  'redis://:p@ss/word@cache:6379 refused',
  'GET https://api.example.com/v6?api_key=0123456789abcdef01234567 failed',
  'bad header Authorization: Bearer abcDEF123456ghi',
  "ENOENT: no such file, open '/home/ada/my bot/shop.db'",
];

describe('a load that fails and quotes a secret', () => {
  it.each(FAILURES)('is told without it, in replies and in the download: %s', async (message) => {
    const at = opened(() => undefined);
    at.cache.set('config::a', 1);
    await at.cache.getOrLoad('user::1', () => Promise.reject(new Error(message))).catch(() => undefined);
    await at.run('cache-stats');
    expect(at.said).toContain('load failure');
    await at.press('Download JSON');
    const file = at.discord.requests.flatMap(({ files }) => files).at(-1)?.text ?? '';
    expect(JSON.parse(file)).toMatchObject({ lastFailure: { key: 'user::1' } });
    const sent = JSON.stringify(at.discord.requests);
    for (const secret of [...SECRETS, '/home/ada', 'my bot']) expect(sent).not.toContain(secret);
  });

  it('is told without it in the result of a warm-up', async () => {
    const at = opened();
    const running = at.run('cache-warm', { scope: 'config' });
    await at.clock.settle();
    const tasks = FAILURES.map((message) => warmTask({ failures: [{ key: 'config::a', message }] }));
    at.warmers.finish(warmReport({ failed: tasks.length, tasks }));
    await running;
    const sent = JSON.stringify(at.discord.requests);
    for (const secret of [...SECRETS, '/home/ada', 'my bot']) expect(sent).not.toContain(secret);
  });
});

describe('a panel of /cache-stats', () => {
  it('says that the entry was cleared already when its button is pressed twice', async () => {
    const at = opened();
    await at.run('cache-stats', { key: 'products::p7' });
    const on = at.discord.lastMessage;
    await at.press('Clear this entry', { on });
    expect(at.said).toContain('Cleared 1 entry');
    await at.press('Clear this entry', { on });
    expect(at.said).toContain('Already done');
    expect(at.said).toContain('1 entry cleared');
    expect(at.audit.filter(({ action }) => action === 'clear')).toHaveLength(1);
  });

  it('says so, too, when both presses come at once', async () => {
    const at = opened();
    await at.run('cache-stats', { key: 'products::p7' });
    const on = at.discord.lastMessage;
    await Promise.all([at.press('Clear this entry', { on }), at.press('Clear this entry', { on })]);
    const said = JSON.stringify(at.discord.messages);
    expect(said).toContain('Cleared 1 entry');
    expect(said).toContain('being cleared');
    expect(said).not.toContain('Cleared 0');
    expect(at.audit.filter(({ action }) => action === 'clear')).toHaveLength(1);
  });

  it('answers both where back and clear are pressed together', async () => {
    const at = opened();
    await at.run('cache-stats', { view: 'keys' });
    await at.press('Inspect a key', { picks: '0' });
    const on = at.discord.lastMessage;
    const before = at.discord.callbacks.length;
    await Promise.all([at.press('Back to the keys', { on }), at.press('Clear this entry', { on })]);
    expect(at.discord.callbacks.length).toBe(before + 2);
    expect(at.cache.stats(0).total.entries).toBe(19);
    expect(JSON.stringify(at.discord.messages)).toContain('Nothing was cleared');
  });

  it('can clear an entry again that has come back', async () => {
    const at = opened();
    await at.run('cache-stats', { key: 'products::p7' });
    await at.press('Clear this entry');
    at.cache.set('products::p7', 'again');
    await at.run('cache-stats', { key: 'products::p7' });
    await at.press('Clear this entry');
    expect(at.said).toContain('Cleared 1 entry');
  });

  it('I11: puts looking into a key on record, also when it was picked from the list', async () => {
    const at = opened();
    await at.run('cache-stats', { view: 'keys' });
    await at.press('Inspect a key', { picks: '0' });
    expect(at.audit.at(-1)).toMatchObject({ action: 'view', target: 'products::p7' });
  });
});

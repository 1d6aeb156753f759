/** I11: every action and every refusal is on record: with the host, in the log, and in the audit channel. */
import { describe, expect, it, vi } from 'vitest';
import { Audit, auditLine, maskIds } from '../../src/commands/audit.ts';
import type { AuditEntry } from '../../src/commands/audit-entry.ts';
import { silentLogger } from '../../src/logger.ts';
import { textOf } from '../commands/spoken.ts';
import { handClock } from '../support/hand-clock.ts';
import { openToEverybody } from './doors.ts';
import { eventually, host, keptLog } from './setup.ts';

const line = (more: Partial<AuditEntry> = {}) => ({
  action: 'clear' as const,
  userId: '100000000000000001',
  guildId: '1',
  channelId: '2',
  command: 'cache-clear',
  target: 'products:*',
  outcome: '42 entries, 1.3 MB',
  ...more,
});

describe('I11: the record', () => {
  it('has an action with who, where, what and what came of it, under the reference that the reply shows', async () => {
    const { local, plugin, audit, log } = await host();
    const { people, channels, home } = local.world;
    plugin.cache.set('products::1', { name: 'Sword' });
    const run = await local.as(people.ada.id).run(channels.ops, 'cache-clear', { pattern: 'products::1' });
    const said = textOf(await run.reply());
    expect(audit).toMatchObject([
      {
        action: 'clear',
        userId: people.ada.id,
        guildId: home.id,
        channelId: channels.ops,
        command: 'cache-clear',
        target: 'products::1',
      },
    ]);
    expect(said).toContain(audit[0]?.reference);
    expect(Math.abs((audit[0]?.at ?? 0) - Date.now())).toBeLessThan(60_000);
    expect(log.filter(({ fields }) => fields.reference === audit[0]?.reference)).toHaveLength(1);
  });

  it('has a refusal of a command, a completion and a button, one line a person and minute', async () => {
    const hosted = await host();
    const { local, audit, clock } = hosted;
    const { people, channels, home } = local.world;
    openToEverybody(hosted, home.id);
    const linus = local.as(people.linus.id);
    for (let i = 0; i < 3; i++)
      await (await linus.run(channels.ops, 'cache-clear', { pattern: 'all' })).reply();
    await linus.autocomplete(channels.ops, 'cache-clear', {}, 'pattern');
    await (await local.as(people.grace.id).run(channels.ops, 'cache-stats')).reply();
    const refused = { action: 'refused', outcome: 'not on the allow-list' };
    expect(audit).toMatchObject([
      { ...refused, userId: people.linus.id, command: 'cache-clear' },
      { ...refused, userId: people.grace.id, command: 'cache-stats' },
    ]);
    clock.advance(60_000);
    await linus.autocomplete(channels.ops, 'cache-clear', {}, 'pattern');
    expect(audit.at(-1)).toMatchObject({ ...refused, userId: people.linus.id, target: 'autocomplete' });
    expect(audit).toHaveLength(3);
  });

  it('I11: shows what a stranger tries after typing, each kind of attempt by itself', () => {
    const kept: string[] = [];
    const sink = ({ command, target }: AuditEntry) => void kept.push(`${command} ${target}`.trim());
    const audit = new Audit({ clock: handClock(), logger: silentLogger, sink });
    const refusal = { action: 'refused', outcome: 'not on the allow-list' } as const;
    const attempts = [
      ['cache-clear', 'autocomplete'],
      ['cache-clear', 'autocomplete'],
      ['cache-clear', ''],
      ['cache-clear', ''],
      ['cache-warm', ''],
      ['cache-clear', 'press'],
    ] as const;
    for (const [command, target] of attempts) audit.record(line({ ...refusal, command, target }));
    expect(kept).toEqual(['cache-clear autocomplete', 'cache-clear', 'cache-warm', 'cache-clear press']);
  });

  it('never makes an action fail: a sink that throws is told once a burst', () => {
    const { lines, logger } = keptLog();
    const clock = handClock();
    const audit = new Audit({
      clock,
      logger,
      sink: () => {
        throw new Error('database is locked');
      },
    });
    for (let i = 0; i < 5; i++) expect(audit.record(line()).reference).toMatch(/^CA-/);
    expect(lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
    expect(lines.filter(({ level }) => level === 'info')).toHaveLength(5);
  });

  it('never fails with its logger, either', () => {
    const broken = () => {
      throw new Error('no space left');
    };
    const kept: AuditEntry[] = [];
    const logger = { debug: broken, info: broken, warn: broken, error: broken };
    const audit = new Audit({ clock: handClock(), logger, sink: (entry) => kept.push(entry) });
    const warned = vi.spyOn(process, 'emitWarning').mockReturnValue();
    expect(audit.record(line({ reference: 'CA-AAAA' }))).toBe(kept[0]);
    expect(warned).toHaveBeenCalledOnce();
    warned.mockRestore();
  });
});

describe('the audit channel', () => {
  it('is told in a line that pings nobody and masks ids', async () => {
    const { local, plugin } = await host({
      admin: ({ world }) => ({ audit_channel_id: world.channels.audit }),
    });
    const { people, channels } = local.world;
    plugin.cache.set('user::123456789012345678::profile', { name: 'Ada' });
    const ada = local.as(people.ada.id);
    await (
      await ada.run(channels.ops, 'cache-clear', { pattern: 'user::123456789012345678::profile' })
    ).reply();
    const told = await eventually(() => {
      const [message] = ada.messages(channels.audit);
      if (message === undefined) throw new Error('nothing yet');
      return message;
    });
    expect(told.content).toContain(`**clear** by <@${people.ada.id}>: /cache-clear \`user::…5678::profile\``);
    const sent = local.requestLog.find(({ path }) => path === `/channels/${channels.audit}/messages`);
    expect(sent?.body).toMatchObject({ allowed_mentions: { parse: [] } });
    expect(sent?.problems).toEqual([]);
  });

  it('that cannot be written to is told once a burst, and the command succeeds', async () => {
    const { local, log } = await host({ admin: () => ({ audit_channel_id: '123456789012345678' }) });
    const { people, channels } = local.world;
    const ada = local.as(people.ada.id);
    for (let i = 0; i < 3; i++) {
      expect(textOf(await (await ada.run(channels.ops, 'cache-info')).reply())).toContain(
        'Cache Configuration',
      );
    }
    const warned = () => log.filter(({ message }) => message.includes('admin.audit_channel_id'));
    await eventually(() => expect(warned()).toHaveLength(1));
  });

  it('takes one line after the other, in order, and a bounded number of them waits', async () => {
    const { lines, logger } = keptLog();
    const posted: string[] = [];
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const post = async (content: string) => {
      await gate;
      posted.push(content);
    };
    const audit = new Audit({ clock: handClock(), logger, post });
    for (let i = 0; i < 1_000; i++) audit.record(line({ outcome: `number ${i}.` }));
    release();
    await audit.flush();
    expect(posted.length).toBeLessThanOrEqual(101);
    expect(posted.slice(0, 3).map((content) => /number \d+/.exec(content)?.[0])).toEqual([
      'number 0',
      'number 1',
      'number 2',
    ]);
    expect(lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
    expect(lines.filter(({ level }) => level === 'info')).toHaveLength(1_000);
  });

  it('I11: has every act of an admin, whatever strangers do meanwhile', async () => {
    const { logger } = keptLog();
    const posted: string[] = [];
    const post = async (content: string) => void posted.push(content);
    const audit = new Audit({ clock: handClock(), logger, post });
    const refusal = { action: 'refused', target: '', outcome: 'not on the allow-list' } as const;
    for (let i = 0; i < 150; i++) audit.record(line({ ...refusal, userId: String(10_000 + i) }));
    for (let i = 0; i < 500; i++) audit.record(line({ action: 'clear', outcome: `number ${i}.` }));
    await audit.flush();
    const text = posted.join('\n');
    for (let i = 0; i < 500; i++) expect(text).toContain(`number ${i}.`);
    expect(posted.every((content) => content.length <= 2_000)).toBe(true);
    expect(text).toContain('more refusals, in the log only.');
    // Acts go first: at most one refusal was on its way before them.
    expect(posted.findIndex((content) => content.includes('**clear**'))).toBeLessThanOrEqual(1);
  });

  it('shows hostile keys as text', () => {
    const hostile = 'user::`@everyone` <@&1> **x**\n# big\u202e::*';
    const text = auditLine({ ...line({ target: hostile }), at: 0, reference: 'CA-AAAA' });
    expect(text.split('\n')).toHaveLength(1);
    expect(text).not.toContain('\u202e');
    expect(text.match(/`/g)).toHaveLength(4); // around the key and around the outcome
    expect(text.length).toBeLessThan(2_000);
  });

  it('a key of any length makes a line that Discord takes', () => {
    const text = auditLine({
      ...line({ target: 'x'.repeat(10_000), outcome: 'y'.repeat(10_000) }),
      at: 0,
      reference: '',
    });
    expect(text.length).toBeLessThan(600);
  });
});

describe('masking', () => {
  it.each([
    ['user::123456789012345678::profile', 'user::…5678::profile'],
    ['user::123456::*', 'user::123456::*'],
    ['products:*', 'products:*'],
    ['a 12345678901234567 b 98765432109876543210', 'a …4567 b …3210'],
  ])('%s is shown as %s', (text, masked) => {
    expect(maskIds(text)).toBe(masked);
  });
});

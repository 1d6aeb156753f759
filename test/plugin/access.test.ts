/** I11: who is let in, in every kind of interaction. */
import { describe, expect, it } from 'vitest';
import { textOf } from '../commands/spoken.ts';
import { host } from './setup.ts';

describe('the plugin on a local Discord', () => {
  it('registers its commands and answers the owner', async () => {
    const { local, log } = await host();
    const { people, channels } = local.world;
    const message = await (await local.as(people.ada.id).run(channels.ops, 'cache-stats')).reply();
    expect(textOf(message)).toContain('Entries');
    expect(log.filter(({ level }) => level === 'warn' || level === 'error')).toEqual([]);
  });

  it('refuses an administrator of the guild who is not on the allow-list', async () => {
    const { local, audit } = await host();
    const { people, channels } = local.world;
    const message = await (await local.as(people.grace.id).run(channels.ops, 'cache-stats')).reply();
    expect(textOf(message)).toContain('Not allowed');
    expect(audit).toMatchObject([{ action: 'refused', userId: people.grace.id }]);
  });
});

/** People, roles and channels as rows to pick from. What an option or a select menu takes is told by its type. */
import { t } from './words.js';

/** Types of options: user, channel, role, mentionable. */
const BY_OPTION = { 6: ['user'], 7: ['channel'], 8: ['role'], 9: ['user', 'role'] };
/** Types of select menus: user, role, mentionable, channel. */
const BY_SELECT = { 5: ['user'], 6: ['role'], 7: ['user', 'role'], 8: ['channel'] };

/** Which kinds an option takes; `undefined` where it takes something else. */
export const kindsOfOption = (option) => BY_OPTION[option.type];
export const kindsOfSelect = (select) => BY_SELECT[select.type];

/**
 * @param hello what the server has told: `people`, `roles`, `channels`
 * @param kinds from above
 * @param channelTypes where only some are wanted
 */
export function entityRows(hello, kinds, channelTypes) {
  const rows = {
    user: () =>
      hello.people
        .filter((one) => one.isMember)
        .sort((a, b) => Number(a.isBot) - Number(b.isBot))
        .map((one) => ({
          value: one.id,
          name: one.name,
          label: `@${one.name}`,
          note: one.isBot ? 'APP' : '',
        })),
    role: () =>
      hello.roles.map((one) => ({
        value: one.id,
        name: one.name,
        label: one.name.startsWith('@') ? one.name : `@${one.name}`,
        note: t('role'),
      })),
    channel: () =>
      hello.channels
        .filter((one) => !channelTypes?.length || channelTypes.includes(one.type))
        .map((one) => ({ value: one.id, name: one.name, label: `#${one.name}`, note: '' })),
  };
  return kinds.flatMap((kind) => rows[kind]());
}

/** Rows that a text means: by part of the name, with or without its `@` or `#`, or by the whole id. Accents may lack. */
export function matching(rows, text) {
  const wanted = plain(text.trim());
  const called = (row) => plain(row.name ?? row.label);
  const begins = (row) => Number(called(row).startsWith(wanted));
  return rows
    .filter((row) => row.value === wanted || called(row).includes(wanted))
    .sort((a, b) => begins(b) - begins(a));
}

function plain(name) {
  return name.replace(/^[@#]/, '').normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
}

import { afterEach, describe, expect, expectTypeOf, it } from 'vitest';
import type { AuditEntry } from '../../src/commands/audit-entry.ts';
import { type AuditRow, auditTable } from '../../src/db/audit-table.ts';
import { openDatabase } from '../../src/db/open.ts';

const db = openDatabase(':memory:');
afterEach(() => db.exec('DELETE FROM audit_log'));

const row: AuditRow = {
  at: 1,
  action: 'clear',
  userId: '80351110224678912',
  guildId: null,
  channelId: '2',
  command: 'cache-clear',
  target: "products:*'); DROP TABLE users; --",
  outcome: '42 entries, 1.3 MB',
  reference: 'CA-7F3K',
};

describe('auditTable', () => {
  it('takes and gives the commands’ audit entries', () => {
    expectTypeOf<AuditEntry>().toEqualTypeOf<AuditRow>();
    const table = auditTable(db);
    table.insert(row);
    expect(table.recent(5)).toEqual([row]);
  });

  it('gives the last lines, newest first', () => {
    const table = auditTable(db);
    for (const at of [1, 2, 3]) table.insert({ ...row, at, reference: `CA-${at}` });
    expect(table.recent(2).map(({ at }) => at)).toEqual([3, 2]);
    expect(table.byReference('CA-1').map(({ at }) => at)).toEqual([1]);
    expect(table.byReference('CA-9')).toEqual([]);
  });
});

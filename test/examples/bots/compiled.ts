/** Strict TypeScript that is compiled to CommonJS: asynchronous services over rows that it makes Maps, Sets and Dates of. */
import { cached, invalidates } from 'cachecord';
import { cache } from './cache.js';
import { db } from './connection.js';

interface Row {
  id: string;
  coins: number;
  bag: string;
  seen: number;
}

interface Member {
  id: string;
  coins: number;
  bag: Map<string, number>;
  badges: Set<string>;
  seen: Date;
}

db.exec('CREATE TABLE members (id TEXT PRIMARY KEY, coins INTEGER, bag TEXT, seen INTEGER)');

function memberOf(row: Row): Member {
  const bag = new Map<string, number>(JSON.parse(row.bag));
  return { id: row.id, coins: row.coins, bag, badges: new Set(bag.keys()), seen: new Date(row.seen) };
}

export class Members {
  readonly #all = cached(cache, async () => this.#rows().map(memberOf), { key: 'query::members' });

  readonly get = cached(
    cache,
    async (id: string): Promise<Member> => {
      const row = db.prepare<[string], Row>('SELECT * FROM members WHERE id = ?').get(id);
      return memberOf(row ?? { id, coins: 0, bag: '[]', seen: 0 });
    },
    { key: 'user::{0}::member' },
  );

  readonly save = invalidates(
    cache,
    async (member: Member): Promise<void> => {
      db.prepare('INSERT OR REPLACE INTO members VALUES (?, ?, ?, ?)').run(
        member.id,
        member.coins,
        JSON.stringify([...member.bag]),
        member.seen.getTime(),
      );
    },
    ['user::{0.id}::*', 'query::members'],
  );

  readonly remove = invalidates(
    cache,
    async (id: string): Promise<void> => {
      db.prepare('DELETE FROM members WHERE id = ?').run(id);
    },
    ['user::{0}::*', 'query::members'],
  );

  top(): Promise<Member[]> {
    return this.#all();
  }

  #rows(): Row[] {
    return db.prepare<[], Row>('SELECT * FROM members ORDER BY id').all();
  }
}

const members = new Members();

function shown(member: Member): string {
  return JSON.stringify({ ...member, bag: [...member.bag], badges: [...member.badges] });
}

export async function work(id: string, coins: number): Promise<number> {
  const member = await members.get(id);
  member.coins += coins;
  member.seen.setTime(member.seen.getTime() + 1_000);
  await members.save(member);
  return member.coins;
}

export async function buy(id: string, item: string): Promise<string> {
  const member = await members.get(id);
  member.bag.set(item, (member.bag.get(item) ?? 0) + 1);
  await members.save({ ...member, coins: member.coins - 1 });
  return shown(member);
}

export async function gift(from: string, to: string, coins: number): Promise<string> {
  const [giver, taker] = await Promise.all([members.get(from), members.get(to)]);
  giver.coins -= coins;
  taker.coins += coins;
  await members.save(giver);
  await members.save(taker);
  return `${shown(giver)} ${shown(taker)}`;
}

export async function boast(id: string): Promise<string> {
  // Changed for the message, and never saved.
  const member = await members.get(id);
  member.bag.clear();
  member.badges.add('rich');
  member.seen.setFullYear(1999);
  Object.assign(member, { coins: 1e9, title: 'King' });
  return shown(member);
}

export async function look(id: string): Promise<string> {
  return shown(await members.get(id));
}

export async function top(): Promise<string> {
  const list = await members.top();
  list.sort((a, b) => b.coins - a.coins).splice(2);
  for (const member of list) member.badges.add('top');
  return list.map(shown).join();
}

export async function reset(id: string): Promise<string> {
  await members.remove(id);
  return 'gone';
}

export function everything(): string {
  return JSON.stringify(db.prepare('SELECT * FROM members ORDER BY id').all());
}

/** Sloppy CommonJS over better-sqlite3: rows are changed in place and saved, lists are sorted and cut in place. */
const { cachedSync, invalidates } = require('cachecord');
const { cache } = require('./cache.js');
const { db } = require('./connection.js');

db.exec('CREATE TABLE users (id TEXT PRIMARY KEY, coins INTEGER, bag TEXT)');
const select = db.prepare('SELECT * FROM users WHERE id = ?');
const selectAll = db.prepare('SELECT id, coins FROM users ORDER BY id');
const replace = db.prepare('INSERT OR REPLACE INTO users VALUES (?, ?, ?)');
const remove = db.prepare('DELETE FROM users WHERE id = ?');

const getUser = cachedSync(
  cache,
  (id) => {
    const row = select.get(id) || { id: id, coins: 0, bag: '[]' };
    row.bag = JSON.parse(row.bag);
    return row;
  },
  { key: 'user::{0}::profile' },
);
const getAll = cachedSync(cache, () => selectAll.all(), { key: 'query::all' });
const saveUser = invalidates(
  cache,
  (user) => {
    replace.run(user.id, user.coins, JSON.stringify(user.bag));
  },
  ['user::{0.id}::*', 'query::all'],
);
const removeUser = invalidates(cache, (id) => void remove.run(id), ['user::{0}::*', 'query::all']);

module.exports = {
  work(id, coins) {
    const user = getUser(id);
    user.coins += coins;
    saveUser(user);
    return user.coins;
  },
  buy(id, item) {
    const user = getUser(id);
    user.bag.push(item);
    user.coins--;
    saveUser(user);
    return user.bag.join();
  },
  gift(from, to, coins) {
    const giver = getUser(from);
    const taker = getUser(to);
    giver.coins -= coins;
    taker.coins += coins;
    saveUser(giver);
    saveUser(taker);
    return `${giver.coins} ${taker.coins}`;
  },
  boast(id) {
    // Changed for the message, and never saved.
    const user = getUser(id);
    user.coins = 'a lot of';
    user.bag.length = 0;
    delete user.id;
    user.title = 'King';
    return `${user.title} has ${user.coins}`;
  },
  look(id) {
    return JSON.stringify(getUser(id));
  },
  top() {
    const rows = getAll();
    rows.sort((a, b) => b.coins - a.coins);
    rows.length = Math.min(rows.length, 2);
    rows.push({ id: 'nobody' });
    return JSON.stringify(rows);
  },
  reset(id) {
    removeUser(id);
    return 'gone';
  },
  everything() {
    return JSON.stringify(db.prepare('SELECT * FROM users ORDER BY id').all());
  },
};

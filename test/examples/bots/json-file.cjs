/** A JSON file: everybody in one object, which is read, changed in place and written as a whole. */
const { cachedSync, invalidates } = require('cachecord');
const { cache } = require('./cache.js');
const { file } = require('./connection.js');
const fs = require('node:fs');

const getUsers = cachedSync(
  cache,
  () => (fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : {}),
  {
    key: 'user::all',
  },
);
const saveUsers = invalidates(cache, (users) => fs.writeFileSync(file, JSON.stringify(users)), 'user::all');

function userIn(users, id) {
  users[id] ??= { coins: 0, bag: [] };
  return users[id];
}

module.exports = {
  work(id, coins) {
    const users = getUsers();
    userIn(users, id).coins += coins;
    saveUsers(users);
    return users[id].coins;
  },
  buy(id, item) {
    const users = getUsers();
    userIn(users, id).bag.push(item);
    users[id].coins--;
    saveUsers(users);
    return users[id].bag.join();
  },
  gift(from, to, coins) {
    const users = getUsers();
    userIn(users, from).coins -= coins;
    userIn(users, to).coins += coins;
    saveUsers(users);
    return JSON.stringify(users);
  },
  boast(id) {
    // Changed for the message, and never saved.
    const users = getUsers();
    userIn(users, id).coins = 1e9;
    users[id].bag.unshift('crown');
    for (const other of Object.keys(users)) if (other !== id) delete users[other];
    return JSON.stringify(users);
  },
  look(id) {
    return JSON.stringify(userIn(getUsers(), id));
  },
  top() {
    const users = Object.values(getUsers());
    users.sort((a, b) => b.coins - a.coins);
    return JSON.stringify(users.slice(0, 2));
  },
  reset(id) {
    const users = getUsers();
    delete users[id];
    saveUsers(users);
    return 'gone';
  },
  everything() {
    return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '{}';
  },
};

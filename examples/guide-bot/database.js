const { cached, invalidates } = require('cachecord'); // Cachecord
const cache = require('./cache.js'); // Cachecord

/** Stands for the bot's database, which takes its time. */
const rules = new Map([
  ['1', 'Be kind.'],
  ['2', 'No spam.'],
]);

async function fetchRule(number) {
  await new Promise((resolve) => setTimeout(resolve, 50));
  return rules.get(number) ?? null;
}

async function saveRule(number, text) {
  rules.set(number, text);
}

// Cachecord: the same functions under the same names, so that nothing else in the bot changes.
module.exports = {
  fetchRule: cached(cache, fetchRule, { key: 'rules::{0}', tier: 'reference' }),
  saveRule: invalidates(cache, saveRule, 'rules::{0}'),
};

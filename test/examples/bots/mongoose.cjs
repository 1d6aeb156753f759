/** mongoose: documents are changed and saved, lean rows are shown. The documents are cached as well, which keeps none. */
const { cached, invalidates } = require('cachecord');
const { cache } = require('./cache.js');
const { Profile } = require('./models.js');

const getDocument = cached(cache, (userId) => Profile.findOne({ userId }), { key: 'user::{0}::document' });
const getLean = cached(cache, (userId) => Profile.findOne({ userId }).select('-_id').lean(), {
  key: 'user::{0}::lean',
});
const getAll = cached(cache, () => Profile.find({}).select('-_id').lean(), { key: 'query::all' });
const save = invalidates(cache, (profile) => profile.save(), ['user::{0.userId}::*', 'query::all']);
const remove = invalidates(cache, (userId) => Profile.deleteOne({ userId }), ['user::{0}::*', 'query::all']);

async function profileOf(userId) {
  return (await getDocument(userId)) || new Profile({ userId });
}

module.exports = {
  async work(id, coins) {
    const profile = await profileOf(id);
    profile.coins += coins;
    await save(profile);
    return profile.coins;
  },
  async buy(id, item) {
    const profile = await profileOf(id);
    profile.bag.push(item);
    profile.coins--;
    await save(profile);
    return profile.bag.join();
  },
  async gift(from, to, coins) {
    const giver = await profileOf(from);
    giver.coins -= coins;
    await save(giver);
    const taker = await profileOf(to);
    taker.coins += coins;
    await save(taker);
    return `${giver.coins} ${taker.coins}`;
  },
  async boast(id) {
    // Changed for the message, and never saved.
    const profile = (await getLean(id)) || { bag: [] };
    profile.coins = 'a lot of';
    profile.bag.push('crown');
    const document = await profileOf(id);
    document.coins = 1e9;
    return `${profile.coins} ${profile.bag.join()} ${document.coins}`;
  },
  async look(id) {
    return JSON.stringify(await getLean(id));
  },
  async top() {
    const rows = await getAll();
    rows.sort((a, b) => b.coins - a.coins);
    rows.length = Math.min(rows.length, 2);
    return JSON.stringify(rows);
  },
  async reset(id) {
    await remove(id);
    return 'gone';
  },
  async everything() {
    return JSON.stringify(await Profile.find({}).select('-_id').lean());
  },
};

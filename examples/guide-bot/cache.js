/** Cachecord: the cache, which stands before the database and is shown by the commands. */
const { createCache } = require('cachecord');
const config = require('./cachecord.js');

module.exports = createCache(config.cache);

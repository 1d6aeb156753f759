/** Cachecord: its configuration, for the bot and the deploy script alike. Everything not named here has its default. */
const { parseConfig } = require('cachecord');
const { guildId } = require('./config.json');

module.exports = parseConfig({
  cache: { max_size_mb: 50 },
  admin: { guild_ids: [guildId] },
});

/** Cachecord: its configuration, for the bot and the deploy script alike. Settings are in cachecord.json. */
const { loadConfig } = require('cachecord');
const { guildId } = require('./config.json');

// The id of the admins' server stays where the bot has it; written there, it would be `admin.guild_ids`.
module.exports = loadConfig({ env: { ...process.env, ADMIN_GUILD_ID: guildId } });

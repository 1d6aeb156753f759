/*
 * `npm start`: the bot on Discord where DISCORD_TOKEN is set, else the playground. Nothing here is newer than
 * Node 12's grammar and nothing is imported before the version is known, so that an old Node says what it lacks.
 */
const [major, minor] = process.versions.node.split('.').map(Number);
// Sources run as they are, through type stripping: on by default since 22.18 and 23.6.
const isNewEnough = (major === 22 && minor >= 19) || (major === 23 && minor >= 6) || major > 23;

function explain(error) {
  if (error.code === 'ERR_CONFIG_INVALID') return error.message;
  if (error.code === 'ERR_MODULE_NOT_FOUND' && error.message.startsWith('Cannot find package')) {
    return `The dependencies are not installed: run \`npm install\` first. (${error.message})`;
  }
  return error;
}

function fail(reason) {
  console.error(reason);
  process.exit(1);
}

if (!isNewEnough) {
  fail(
    `Cachecord needs Node 22.19 or newer, and this is ${process.versions.node}: install it from https://nodejs.org.`,
  );
} else {
  import(process.env.DISCORD_TOKEN ? './src/bot.ts' : './playground/main.ts').catch((error) =>
    fail(explain(error)),
  );
}

const fs = require('node:fs');
const path = require('node:path');

/** Every command in the folders under `commands/`. */
module.exports = function loadCommands() {
  const root = path.join(__dirname, 'commands');
  const commands = [];
  for (const folder of fs.readdirSync(root)) {
    for (const file of fs.readdirSync(path.join(root, folder))) {
      if (file.endsWith('.js')) commands.push(require(path.join(root, folder, file)));
    }
  }
  return commands;
};

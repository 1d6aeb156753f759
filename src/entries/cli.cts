#!/usr/bin/env node
/** The program `cachecord`. Up to the first `import` nothing is newer than Node 6, so that an old Node says what it lacks. */
try {
  require('./node-version.cjs');
} catch (error) {
  console.error((error as Error).message); // node-version.cts throws nothing else
  process.exit(1);
}

import program = require('../deploy/main.ts');

void program.main();

import './node-version.cts';

import api = require('../index.ts');

export = api;

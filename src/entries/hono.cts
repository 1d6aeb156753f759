import './node-version.cts';

import api = require('../http/hono.ts');

export = api;

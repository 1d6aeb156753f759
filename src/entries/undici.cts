import './node-version.cts';

import api = require('../http/undici.ts');

export = api;

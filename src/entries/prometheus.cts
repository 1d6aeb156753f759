import './node-version.cts';

import api = require('../metrics/prometheus.ts');

export = api;

/** Writes `schema.json`, by which editors complete and check config.json: `node scripts/write-schema.ts`. */
import { writeFileSync } from 'node:fs';
import { configJsonSchema } from '../src/config/schema.ts';

const file = new URL('../schema.json', import.meta.url);
writeFileSync(file, `${JSON.stringify(configJsonSchema(), null, 2)}\n`);

/**
 * Where this code lies, as `createRequire` takes it: what it finds from there is what the package finds. Bundlers of
 * CommonJS leave `import.meta.url` undefined, and a bundle of ES modules has no `__filename`.
 */
import { join } from 'node:path';

export function ownPlace(): string {
  return import.meta.url ?? (typeof __filename === 'string' ? __filename : join(process.cwd(), 'bundle.js'));
}

/** The version of the package that this file is in; `src/` and `dist/` lie beside its package.json alike. */
import { readFileSync } from 'node:fs';

export function ownVersion(): string {
  try {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    return String(version);
  } catch {
    return 'unknown'; // bundled into the host's own file, without its package.json
  }
}

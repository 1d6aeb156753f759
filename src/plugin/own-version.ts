/** The version of the package that this file is in; `src/` and `dist/` lie beside its package.json alike. */
import { readFileSync } from 'node:fs';

export function ownVersion(): string {
  try {
    const { name, version } = JSON.parse(
      readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
    );
    // Bundled into the host's own file, it may find the package.json of another.
    return name === 'cachecord' ? String(version) : 'unknown';
  } catch {
    return 'unknown'; // bundled, without its package.json
  }
}

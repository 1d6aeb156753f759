/** The version of the package that this file is in. */
import { createRequire } from 'node:module';
import { ownPlace } from '../cache/own-place.ts';

export function ownVersion(): string {
  try {
    // A package finds itself by its name, and a bundle the one that it was made from, where that is installed still.
    return String(createRequire(ownPlace())('cachecord/package.json').version);
  } catch {
    return 'unknown';
  }
}

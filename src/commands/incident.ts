/** Ids by which a reply and the log speak of the same event, such as `CA-7F3K`. */
import { randomInt } from 'node:crypto';

/** Without 0, O, 1, I and L, which people mistake for each other when they read an id out. */
const ALPHABET = '23456789ABCDEFGHJKMNPQRSTUVWXYZ';
/** 923,521 ids: they need to be told apart in a log, not to be unguessable. */
const LENGTH = 4;

/** A new reference. */
export function incidentReference(): string {
  const characters = Array.from({ length: LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]);
  return `CA-${characters.join('')}`;
}

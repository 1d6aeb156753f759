/** The bot's `connection.js`, which the test hands in. */
import type { Database } from 'better-sqlite3';

export const db: Database;

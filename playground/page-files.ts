/** The files of the page, read once, and the headers that go with everything the page's server sends. */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

const PAGE_DIRECTORY = path.join(import.meta.dirname, 'page');

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Nothing inline, nothing from elsewhere: a key that holds markup stays text, whatever a renderer might forget. */
export const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};

export interface PageFile {
  readonly type: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** By the path under which each is asked for. */
export async function readPageFiles(): Promise<ReadonlyMap<string, PageFile>> {
  const files = new Map<string, PageFile>();
  for (const name of await readdir(PAGE_DIRECTORY)) {
    const type = TYPES[path.extname(name)];
    const bytes = new Uint8Array(await readFile(path.join(PAGE_DIRECTORY, name)));
    if (type !== undefined) files.set(name === 'index.html' ? '/' : `/${name}`, { type, bytes });
  }
  return files;
}

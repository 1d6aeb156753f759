/** What replies leave out, since screenshots travel. What is secret in a text is in `logger/secrets.ts`. */

/** The path of a host says more than a reply should. */
export function fileName(path: string): string {
  return path.split(/[\\/]/).at(-1) ?? path;
}

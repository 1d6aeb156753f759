/** What replies leave out, since screenshots travel: paths of the host, tokens, addresses with credentials. */

/** The path of a host says more than a reply should. */
export function fileName(path: string): string {
  return path.split(/[\\/]/).at(-1) ?? path;
}

/** The first line of an error, fit to be shown. */
export function withoutSecrets(cause: string): string {
  const line = cause.split('\n', 1)[0] ?? '';
  return line
    .replace(/\b[\w-]{20,}\.[\w-]{5,}\.[\w-]{20,}\b/g, '[token]')
    .replace(/\b([a-z][a-z0-9+.-]*):\/\/[^\s/@]*@/gi, '$1://[credentials]@')
    .replace(/(?<![\w:/])(?:\/[\w.@-]+){2,}/g, '[path]')
    .replace(/\b[A-Za-z]:\\[^\s'"]+/g, '[path]');
}

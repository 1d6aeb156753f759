/** The examples import `cachecord` by its name; while they lie in its repository, that is the source beside them. */
declare module 'cachecord' {
  const api: typeof import('../src/index.ts');
  export = api;
}

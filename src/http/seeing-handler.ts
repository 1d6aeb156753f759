/** A handler that shows the head of each answer to somebody before it hands it on, and changes nothing. */
import type { Dispatcher } from 'undici';

type Headers = Readonly<Record<string, string | string[] | undefined>>;

export function seeing(
  handler: Dispatcher.DispatchHandler,
  see: (headers: Headers) => void,
): Dispatcher.DispatchHandler {
  return new Proxy(handler, {
    get(target, name) {
      if (name === 'onResponseStart') {
        const start: NonNullable<Dispatcher.DispatchHandler['onResponseStart']> = (...args) => {
          see(args[2]);
          target.onResponseStart?.(...args);
        };
        return start;
      }
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** A typed emitter of a few lines: `on` returns its own undoing, and a listener that throws reaches the caller. */
export class Emitter<Events> {
  readonly #listeners = new Map<keyof Events, Set<(event: never) => void>>();

  on<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners);
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  }

  emit<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    // Listeners are stored under their own event's name, so the event fits them.
    for (const listener of [...(this.#listeners.get(name) ?? [])]) listener(event as never);
  }
}

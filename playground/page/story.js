/**
 * What happens to the bot, told in the channel between its answers: that it was killed and what waits on disk, how it
 * came back, what was written behind its back and when it noticed. And the same shown at one press, step by step.
 */
import { t } from './words.js';

/** The bot writes to disk every two seconds. */
const ON_DISK_WITHIN_MS = 2_500;
const PATIENCE_MS = 20_000;
/** What the shown product is offered at. */
const SHOWN_CENTS = 123;
const IS_DOWN = ['stopped', 'exited'];

/** @param parts { page, act, note(words), enter() } */
export function createStory({ page, act, note, enter }) {
  let beganAt = null;
  let seconds = null;
  /** Since when the bot that is gone has counted: what is told of another one is news. */
  let lastSince = null;
  const button = document.querySelector('#show-crash');
  let isShowing = false;
  let heard = () => undefined;

  const number = (value, digits = 0) =>
    new Intl.NumberFormat(page.locale, { maximumFractionDigits: digits }).format(value);
  const money = (cents) =>
    new Intl.NumberFormat(page.locale, { style: 'currency', currency: 'USD' }).format(cents / 100);

  /** @param before the state that it was in */
  function bot(before, { state, ending }) {
    if (IS_DOWN.includes(state) && !IS_DOWN.includes(before)) {
      note(() => {
        if (state === 'exited') return t('toldExited');
        return ending === 'SIGKILL' ? t('toldKilled') : t('toldStopped');
      });
    }
    if (state === 'starting') {
      beganAt = performance.now();
      seconds = null;
      lastSince = page.stats?.sinceAt ?? null;
    }
    if (state === 'online' && beganAt !== null) seconds = (performance.now() - beganAt) / 1000;
  }

  /** The first figures of a bot that has come back are its report. */
  function stats({ sinceAt, disk, total }) {
    if (seconds === null || sinceAt === lastSince) return;
    const took = seconds;
    const isFirst = lastSince === null;
    beganAt = seconds = lastSince = null;
    if (isFirst) return;
    note(() => {
      const back = t('toldBack', { seconds: number(took, 1) });
      if (!disk?.found) return back;
      const dropped = disk.outdated + disk.unproven + disk.expired + disk.damaged;
      return [
        back,
        t('toldFound', { count: disk.found, n: number(disk.found) }),
        dropped > 0 ? t('toldDropped', { count: dropped, n: number(dropped) }) : null,
        total.loads > 0 ? t('toldLoads', { count: total.loads, n: number(total.loads) }) : t('toldNoLoads'),
      ]
        .filter((one) => one !== null)
        .join(' ');
    });
  }

  function written({ name, before, cents, noticed }) {
    const isDown = IS_DOWN.includes(page.hello.bot.state);
    note(() => {
      const what = t('toldWritten', { name, before: money(before), now: money(cents) });
      if (noticed) return `${what} ${noticedWords(noticed, page.locale)}`;
      return isDown ? `${what} ${t('toldUnseen')}` : what;
    });
  }

  /** Kills the bot, changes a price meanwhile, starts it again, and asks before and after. */
  async function show() {
    if (isShowing) return;
    mark(true);
    try {
      await steps();
    } catch {
      note(() => t('showStopped'));
    } finally {
      mark(false);
    }
  }

  function mark(is) {
    isShowing = is;
    button.classList.toggle('busy', is);
    button.setAttribute('aria-busy', String(is));
  }

  async function steps() {
    if (page.hello.trouble !== 'healthy') await act({ do: 'trouble', trouble: 'healthy' });
    if (page.hello.bot.state !== 'online') {
      await act({ do: 'bot', order: 'start' });
      await isOnline();
    }
    enter();
    note(() => t('showBegins'));
    await ask('leaderboard', {});
    await pause(ON_DISK_WITHIN_MS);
    await act({ do: 'bot', order: 'kill' });
    const { changeable } = await act({ do: 'changeable' });
    const [product] = changeable.products;
    const cents = product.cents === SHOWN_CENTS ? SHOWN_CENTS + 100 : SHOWN_CENTS;
    const { changed } = await act({ do: 'change', change: { what: 'price', productId: product.id, cents } });
    written(changed);
    await act({ do: 'bot', order: 'start' });
    await isOnline();
    await ask('shop', { category: product.category });
    await ask('leaderboard', {});
    note(() => t('showEnds', { name: product.name, now: money(cents) }));
  }

  /** Runs a command and waits for its answer. */
  async function ask(name, options) {
    const answered = new Promise((done) => (heard = done));
    await act({ do: 'run', channelId: page.channelId, name, options });
    await Promise.race([answered, pause(PATIENCE_MS)]);
  }

  /** Online, its commands there, and its report given. */
  function isOnline() {
    const until = performance.now() + PATIENCE_MS;
    return new Promise((done, fail) => {
      const look = () => {
        const { hello } = page;
        const isThere = hello.bot.state === 'online' && hello.commands.some(({ name }) => name === 'shop');
        if (isThere && seconds === null) return done();
        if (performance.now() > until) return fail(new Error('The bot has not come back.'));
        setTimeout(look, 100);
      };
      look();
    });
  }

  return { bot, stats, written, show, answered: () => heard() };
}

function pause(ms) {
  return new Promise((done) => setTimeout(done, ms));
}

/** How soon a change was noticed, and what went for it. */
export function noticedWords({ ms, entries }, locale) {
  const number = new Intl.NumberFormat(locale);
  const n = number.format(entries);
  const went = entries > 0 ? t('toldWent', { count: entries, n }) : t('toldNothingWent');
  return `${t('toldNoticed', { ms: number.format(ms) })} ${went}`;
}

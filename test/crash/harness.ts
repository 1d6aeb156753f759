/**
 * The crash harness: bots that share a database and a cache file run under a random workload (`worker.ts`) while this
 * process edits the database directly, and are killed with SIGKILL at random instants, while they start as well as
 * later. After each restart the worker compares every cached read with the database and checks its files; here, every
 * acknowledged write-behind write is looked for, once.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { openDatabase } from '../../src/db/open.ts';
import { type Random, seededRandom } from '../../src/db/random.ts';
import { createWrites } from '../../src/db/writes.ts';
import {
  CATEGORIES,
  NOW,
  SUB_CATEGORIES,
  shopFile,
  type Told,
  type WorkerOptions,
  WRITE_BEHIND_TABLES,
} from './protocol.ts';

export interface CrashOptions {
  readonly kills: number;
  readonly seed: number;
  /** Bots that run at once. @default 2 */
  readonly slots?: number;
  readonly onProgress?: (kills: number) => void;
}

export interface CrashReport {
  readonly kills: number;
  /** Kills before the process had started. */
  readonly killedAtStart: number;
  readonly acknowledged: number;
  readonly edits: number;
  /** Entries that processes found on disk and believed. */
  readonly restored: number;
  /** Processes whose feed went on where the one before had stopped. */
  readonly resumed: number;
  /** What was not as it must be; empty when all is well. */
  readonly problems: readonly string[];
  /** Where the files are; removed when all is well. */
  readonly folder: string;
}

const WORKER = fileURLToPath(new URL('./worker.ts', import.meta.url));
/** Numbers that one process can give to its writes. */
const NUMBERS_A_PROCESS = 1_000_000;
/** A process that says nothing for so long hangs. */
const PATIENCE_MS = 30_000;

export async function runCrashes({
  kills,
  seed,
  slots = 2,
  onProgress = () => undefined,
}: CrashOptions): Promise<CrashReport> {
  const folder = mkdtempSync(join(tmpdir(), 'cachecord-crash-'));
  const run = new CrashRun(folder, kills, seed, onProgress);
  const report = await run.run(slots);
  if (report.problems.length === 0) rmSync(folder, { recursive: true, force: true });
  return report;
}

class CrashRun {
  readonly #folder: string;
  readonly #kills: number;
  readonly #seed: number;
  readonly #onProgress: (kills: number) => void;
  readonly #random: Random;
  readonly #db: Database.Database;
  readonly #editing: Random;
  readonly #counted = new Set<number>();
  readonly #seen = new Map<string, number>();
  readonly #problems: string[] = [];
  #killed = 0;
  #killedAtStart = 0;
  #started = 0;
  #edits = 0;
  #restored = 0;
  #resumed = 0;

  constructor(folder: string, kills: number, seed: number, onProgress: (kills: number) => void) {
    this.#folder = folder;
    this.#kills = kills;
    this.#seed = seed;
    this.#onProgress = onProgress;
    this.#random = seededRandom(seed);
    this.#editing = seededRandom(seed + 1);
    makeShop(shopFile(folder), seededRandom(seed + 2));
    this.#db = new Database(shopFile(folder), { timeout: 10_000 });
  }

  async run(slots: number): Promise<CrashReport> {
    const isOver = () => this.#killed >= this.#kills || this.#problems.length > 0;
    const editing = this.#edit(isOver);
    await Promise.all(Array.from({ length: slots }, (_, slot) => this.#runSlot(slot, isOver)));
    await editing;
    // The last word is with processes that nobody kills.
    if (this.#problems.length === 0) {
      for (let slot = 0; slot < slots; slot++) await this.#process(slot, undefined);
      this.#lookForWrites();
    }
    this.#db.close();
    return {
      kills: this.#killed,
      killedAtStart: this.#killedAtStart,
      acknowledged: this.#counted.size,
      edits: this.#edits,
      restored: this.#restored,
      resumed: this.#resumed,
      problems: this.#problems,
      folder: this.#folder,
    };
  }

  async #runSlot(slot: number, isOver: () => boolean): Promise<void> {
    while (!isOver()) await this.#process(slot, this.#random.chance(0.15) ? 'at start' : 'at work');
  }

  /** Runs a process until it is killed; without a `when` until it has said that all is right. */
  async #process(slot: number, when: 'at start' | 'at work' | undefined): Promise<void> {
    const number = ++this.#started;
    const options: WorkerOptions = {
      folder: this.#folder,
      slot,
      seed: this.#seed + number,
      firstNumber: number * NUMBERS_A_PROCESS,
      isLast: when === undefined,
    };
    const child = spawn(process.execPath, [WORKER, JSON.stringify(options)], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, NODE_COMPILE_CACHE: join(this.#folder, 'compiled') },
    });
    const kill = () => void child.kill('SIGKILL');
    const patience = setTimeout(() => {
      this.#problems.push(`Process ${number} said nothing for ${PATIENCE_MS} ms.`);
      kill();
    }, PATIENCE_MS);
    if (when === 'at start') setTimeout(kill, this.#random.between(50, 400));
    let isReady = false;
    for await (const line of createInterface({ input: child.stdout })) {
      const told = toldIn(line);
      if (told === undefined) continue;
      patience.refresh();
      if (told.kind === 'wrong') this.#problems.push(`Process ${number}: ${line}`);
      if (told.kind === 'acknowledged') this.#acknowledge(told);
      if (told.kind !== 'ready') continue;
      isReady = true;
      this.#restored += told.restored;
      if (told.proof === 'resumed') this.#resumed++;
      setTimeout(kill, when === undefined ? 0 : this.#random.between(0, 150));
    }
    clearTimeout(patience);
    const code = await ended(child);
    if (code !== null && this.#problems.length === 0)
      this.#problems.push(`Process ${number} ended by itself, with ${code}.`);
    if (when === undefined) return;
    this.#killed++;
    if (!isReady) this.#killedAtStart++;
    this.#onProgress(this.#killed);
  }

  #acknowledge({ n, key }: Told & { kind: 'acknowledged' }): void {
    if (key === undefined) this.#counted.add(n);
    else this.#seen.set(key, n);
  }

  #lookForWrites(): void {
    const times = new Map<number, number>();
    for (const n of this.#db.prepare('SELECT n FROM crash_applied').pluck().all() as number[])
      times.set(n, (times.get(n) ?? 0) + 1);
    for (const n of this.#counted)
      if (!times.has(n)) this.#problems.push(`Write ${n} was acknowledged and lost.`);
    for (const [n, count] of times)
      if (count > 1) this.#problems.push(`Write ${n} was applied ${count} times.`);
    const value = this.#db.prepare<[string], number>('SELECT n FROM crash_seen WHERE key = ?').pluck();
    for (const [key, n] of this.#seen) {
      // One that was journalled and not acknowledged may have come after it.
      if ((value.get(key) ?? 0) < n) this.#problems.push(`The last write ${n} to ${key} was lost.`);
    }
  }

  /** Somebody with a program that knows nothing of the cache. */
  async #edit(isOver: () => boolean): Promise<void> {
    const random = this.#editing;
    const id = () => `${random.between(1, 6)}`;
    const edits: (() => [sql: string, ...values: (string | number)[]])[] = [
      () => ['UPDATE users SET wallet_cents = wallet_cents + ? WHERE id = ?', random.between(0, 90), id()],
      () => ['UPDATE users SET name = ? WHERE id = ?', `Edited ${random.between(1, 99)}`, id()],
      () => ['UPDATE products SET stock = ? WHERE main_category = ?', 40, random.pick(CATEGORIES)],
      () => [
        'UPDATE products SET sub_category = ? WHERE id = ?',
        random.pick(SUB_CATEGORIES),
        random.between(1, 8),
      ],
      () => ['UPDATE products SET price_cents = price_cents + 1 WHERE id = ?', random.between(1, 8)],
      () => ['DELETE FROM orders WHERE id % 7 = ?', random.between(0, 6)],
      () => ['UPDATE discounts SET percent = ? WHERE id = ?', random.between(1, 90), random.between(1, 3)],
    ];
    while (!isOver()) {
      const [sql, ...values] = edits[random.between(0, edits.length - 1)]?.() ?? [''];
      try {
        this.#db.prepare(sql).run(...values);
        this.#edits++;
      } catch (error) {
        // What the shop's own rules forbid.
        if (!/^SQLITE_CONSTRAINT/.test(String(Reflect.get(error as object, 'code')))) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, random.between(1, 40)));
    }
  }
}

function makeShop(file: string, random: Random): void {
  const db = openDatabase(file);
  const writes = createWrites(db);
  for (let id = 1; id <= 6; id++) {
    writes.ensureUser(`${id}`, `Person ${id}`, NOW);
    writes.addToWallet(`${id}`, 10_000);
  }
  for (let id = 1; id <= 8; id++) {
    writes.insertProduct(
      {
        mainCategory: random.pick(CATEGORIES),
        subCategory: random.pick(SUB_CATEGORIES),
        name: `Product ${id}`,
        description: 'A thing. '.repeat(random.between(1, 150)),
        stock: 50,
        priceCents: random.between(1, 900),
        active: true,
      },
      NOW,
    );
  }
  const discounts = [
    { productId: 1, mainCategory: null, vipTier: null, userId: null },
    { productId: null, mainCategory: null, vipTier: 2, userId: null },
    { productId: null, mainCategory: null, vipTier: null, userId: '1' },
  ];
  const insert = db.prepare(
    `INSERT INTO discounts (name, product_id, main_category, vip_tier, user_id, percent, valid_from)
     VALUES ('Off', :productId, :mainCategory, :vipTier, :userId, 10, 1)`,
  );
  for (const discount of discounts) insert.run(discount);
  db.exec(WRITE_BEHIND_TABLES);
  db.close();
}

/** A line that a kill has cut in two tells nothing. */
function toldIn(line: string): Told | undefined {
  try {
    return JSON.parse(line) as Told;
  } catch {
    return undefined;
  }
}

async function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  return new Promise((resolve) => child.once('exit', resolve));
}

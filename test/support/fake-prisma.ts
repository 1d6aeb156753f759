/**
 * Stands for `@prisma/client`, whose engine is downloaded when it is installed: models over rows in memory, with the
 * shape of `$extends` and Decimals as Prisma has them. Each query gives rows of its own, as Prisma does.
 */
import { Decimal } from 'decimal.js';

type Row = Record<string, unknown>;

interface Args {
  readonly where?: Row;
  readonly data?: Row;
  readonly create?: Row;
  readonly update?: Row;
}

type Query = (args: Args) => Promise<unknown>;
type Operation = 'findUnique' | 'findMany' | 'update' | 'updateMany' | 'upsert' | 'deleteMany';
type Delegate = Readonly<Record<Operation, Query>>;

type Extension = Readonly<
  Record<
    string,
    { $allOperations(call: { operation: string; args: Args; query: Query }): Promise<unknown> } | undefined
  >
>;

function ownRow(row: Row): Row {
  const fields = Object.entries(row).map(([name, value]) => [
    name,
    value instanceof Decimal ? new Decimal(value) : structuredClone(value),
  ]);
  return Object.fromEntries(fields);
}

function modelOf(rows: Row[]): (operation: Operation, args: Args) => Promise<unknown> {
  return async (operation, { where = {}, data = {}, create = {}, update = {} }) => {
    const found = rows.filter((row) => Object.entries(where).every(([name, value]) => row[name] === value));
    const [first] = found;
    switch (operation) {
      case 'findUnique':
        return first === undefined ? null : ownRow(first);
      case 'findMany':
        return found.map(ownRow);
      case 'deleteMany':
        for (const row of found) rows.splice(rows.indexOf(row), 1);
        return { count: found.length };
      case 'upsert': {
        if (first !== undefined) return ownRow(Object.assign(first, ownRow(update)));
        rows.push(ownRow(create));
        return ownRow(create);
      }
      default:
        for (const row of found) Object.assign(row, ownRow(data));
        return operation === 'update' ? ownRow(first ?? {}) : { count: found.length };
    }
  };
}

function delegateOf(run: (operation: Operation, args: Args) => Promise<unknown>): Delegate {
  const call =
    (operation: Operation): Query =>
    (args = {}) =>
      run(operation, args);
  return {
    findUnique: call('findUnique'),
    findMany: call('findMany'),
    update: call('update'),
    updateMany: call('updateMany'),
    upsert: call('upsert'),
    deleteMany: call('deleteMany'),
  };
}

/** What `require('@prisma/client')` gives. @param tables the rows of each model, which are used as they are */
export function fakePrisma(tables: Readonly<Record<string, Row[]>>) {
  const client = (extension: Extension) =>
    Object.fromEntries(
      Object.entries(tables).map(([name, rows]) => {
        const run = modelOf(rows);
        const extended = extension[name];
        return [
          name,
          delegateOf((operation, args) =>
            extended === undefined
              ? run(operation, args)
              : extended.$allOperations({ operation, args, query: (given) => run(operation, given) }),
          ),
        ];
      }),
    );
  class PrismaClient {
    constructor() {
      Object.assign(this, client({}));
    }

    $extends({ query }: { readonly query: Extension }): Readonly<Record<string, Delegate>> {
      return client(query);
    }
  }
  return { PrismaClient, Prisma: { Decimal } };
}

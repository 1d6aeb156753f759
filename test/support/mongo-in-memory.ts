/**
 * A collection of MongoDB in memory, in place of the driver's: mongoose casts, hydrates and saves as ever, and no server
 * is needed. It knows what the recipe and the example bot ask of it.
 */
import mongoose from 'mongoose';

type Row = Record<string, unknown>;

interface Update {
  readonly $inc?: Readonly<Record<string, number>>;
  readonly $set?: Row;
  readonly $setOnInsert?: Row;
  readonly $push?: Readonly<Record<string, { readonly $each: readonly unknown[] }>>;
}

interface Options {
  readonly projection?: Row;
  readonly upsert?: boolean;
}

/** @returns the rows, as they are stored */
export function keepCollectionInMemory(model: { readonly collection: object }): readonly Row[] {
  const rows: Row[] = [];
  const matching = (filter: Row) =>
    rows.filter((row) =>
      Object.entries(filter).every(([name, value]) => String(row[name]) === String(value)),
    );
  Object.assign(model.collection, {
    async findOne(filter: Row, { projection = {} }: Options = {}) {
      const [row] = matching(filter);
      return row === undefined ? null : fromWire(row, projection);
    },
    find(filter: Row, { projection = {} }: Options = {}) {
      return { toArray: async () => matching(filter).map((row) => fromWire(row, projection)) };
    },
    async insertOne(row: Row) {
      rows.push(fromWire(row));
      return { acknowledged: true, insertedId: row._id };
    },
    async deleteOne(filter: Row) {
      const [row] = matching(filter);
      if (row !== undefined) rows.splice(rows.indexOf(row), 1);
      return { acknowledged: true, deletedCount: row === undefined ? 0 : 1 };
    },
    async updateOne(filter: Row, update: Update, { upsert = false }: Options = {}) {
      const [found] = matching(filter);
      if (found === undefined && !upsert) return { acknowledged: true, matchedCount: 0, modifiedCount: 0 };
      const row = found ?? { _id: new mongoose.Types.ObjectId(), ...filter, ...update.$setOnInsert };
      if (found === undefined) rows.push(row);
      Object.assign(row, structuredClone(update.$set ?? {}));
      for (const [name, by] of Object.entries(update.$inc ?? {})) row[name] = Number(row[name] ?? 0) + by;
      for (const [name, { $each }] of Object.entries(update.$push ?? {})) {
        const list = row[name];
        row[name] = [...(Array.isArray(list) ? list : []), ...$each];
      }
      return { acknowledged: true, matchedCount: 1, modifiedCount: 1 };
    },
  });
  return rows;
}

/** As the driver reads it: nothing is shared with what is stored, and an ObjectId stays one. */
function fromWire({ _id, ...rest }: Row, projection: Row = {}): Row {
  return { ...(_id !== undefined && projection._id !== 0 && { _id }), ...structuredClone(rest) };
}

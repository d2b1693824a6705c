/**
 * Lists of objects as columns, for the wire: 50 log rows carry "tenantId" once instead of 50 times, a model or key that many
 * rows share once, and a value that all rows share once. Answers of procedures and frames of the stream are packed only
 * here, where each is written, and unpacked where it is read; no other code knows about it.
 *
 *     [{ id: "a", model: "m", usage: { input: 1 } }, { id: "b", model: "m", usage: { input: 2 }, sample: true }]
 *
 * travels as
 *
 *     { "#rows": 2, id: ["a", "b"], model: { "#all": "m" }, usage: { "#rows": 2, input: [1, 2] }, sample: { "#at": [1], "#all": true } }
 *
 * A column is one of: a list with one value per row; `#all`, the value of every row; `#of` and `#is`, the distinct values and
 * the index of each row's value; or again a table, when the values are objects. `#at` lists the rows that have the field, when not
 * all do. A field name that begins with `#` gets another `#` in front.
 */
type Packed = Record<string, unknown>;

/** Packs every list of two or more objects, at any depth. Anything but plain objects and lists stays as it is. */
export function packTables(value: unknown): unknown {
  if (Array.isArray(value)) return isTable(value) ? toTable(value) : value.map(packTables);
  if (!isPlain(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [escaped(name), packTables(field)]));
}

/** The inverse of {@link packTables}; also accepts values that were not packed. */
export function unpackTables(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unpackTables);
  if (!isPlain(value)) return value;
  if (typeof value["#rows"] === "number") return fromTable(value, value["#rows"]);
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [unescaped(name), unpackTables(field)]));
}

function isPlain(value: unknown): value is Packed {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

function isTable(values: readonly unknown[]): values is Packed[] {
  return values.length > 1 && values.every(isPlain);
}

function escaped(name: string): string {
  return name.startsWith("#") ? `#${name}` : name;
}

function unescaped(name: string): string {
  return name.startsWith("##") ? name.slice(1) : name;
}

function toTable(rows: readonly Packed[]): Packed {
  const names = new Set<string>();
  for (const row of rows) for (const name in row) names.add(name);
  const table: Packed = { "#rows": rows.length };
  for (const name of names) {
    const all = rows.map((row) => row[name]);
    if (!all.includes(undefined)) {
      table[escaped(name)] = toColumn(all);
      continue;
    }
    const at = [...all.keys()].filter((index) => all[index] !== undefined);
    if (at.length === 0) continue;
    const column = toColumn(at.map((index) => all[index]));
    table[escaped(name)] = { "#at": at, ...(Array.isArray(column) ? { "#each": column } : column) };
  }
  return table;
}

/** For at least one value; the shortest form, approximately. */
function toColumn(values: readonly unknown[]): unknown[] | Packed {
  const [first] = values;
  if (typeof first !== "object" || first === null) {
    if (values.every((value) => value === first)) return { "#all": first };
    // Numbers are rarely worth an index.
    return (typeof first === "string" && toIndex(values)) || values.map(packTables);
  }
  if (isTable(values)) return toTable(values);
  if (!values.every(Array.isArray)) return values.length === 1 ? { "#all": packTables(first) } : values.map(packTables);
  const index = toIndex(values.map((value) => JSON.stringify(value)));
  const packed = values.map(packTables);
  if (!index) return values.length === 1 ? { "#all": packed[0] } : packed;
  const distinct = [...new Set(index["#is"])].map((place) => packed[index["#is"].indexOf(place)]);
  return distinct.length === 1 ? { "#all": distinct[0] } : { "#of": distinct, "#is": index["#is"] };
}

/** Distinct values in order of appearance, and the index of each value; null when too many differ. */
function toIndex(values: readonly unknown[]): { "#of": unknown[]; "#is": number[] } | null {
  const places = new Map<unknown, number>();
  const is: number[] = [];
  for (const value of values) {
    const place = places.get(value) ?? places.size;
    places.set(value, place);
    if (places.size > values.length / 2) return null;
    is.push(place);
  }
  return { "#of": [...places.keys()].map(packTables), "#is": is };
}

function fromTable(table: Packed, count: number): Packed[] {
  const rows = Array.from({ length: count }, (): Packed => ({}));
  for (const [name, column] of Object.entries(table)) {
    if (name === "#rows") continue;
    const at = isPlain(column) ? (column["#at"] as number[] | undefined) : undefined;
    const values = fromColumn(column, at?.length ?? count);
    for (const [place, value] of values.entries()) {
      const row = rows[at?.[place] ?? place];
      if (row) row[unescaped(name)] = value;
    }
  }
  return rows;
}

function fromColumn(column: unknown, count: number): unknown[] {
  if (!isPlain(column)) return unpackTables(column) as unknown[];
  if (typeof column["#rows"] === "number") {
    const { "#at": _, ...table } = column;
    return fromTable(table, column["#rows"]);
  }
  if ("#each" in column) return unpackTables(column["#each"]) as unknown[];
  if ("#all" in column) {
    // A copy per row, because callers do not expect rows to share a list.
    return Array.from({ length: count }, () => unpackTables(column["#all"]));
  }
  const distinct = column["#of"] as unknown[];
  return (column["#is"] as number[]).map((place) => unpackTables(distinct[place]));
}

/** A tRPC transformer that also packs answers. Inputs are not packed: what a client sends must not be unpacked. */
export function withTables<Wire>(base: { serialize(value: unknown): Wire; deserialize(wire: Wire): unknown }) {
  return {
    input: base,
    output: {
      serialize: (value: unknown): Wire => base.serialize(packTables(value)),
      deserialize: (wire: Wire): unknown => unpackTables(base.deserialize(wire)),
    },
  };
}

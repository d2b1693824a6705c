import type { RequestRow } from "@sluice/core/requests";
import { seededRandom } from "@sluice/testing/seeded-random";
import { expect, test } from "vitest";
import { crc32c } from "../src/crc32c.ts";
import { failpointFrom } from "../src/failpoints.ts";
import {
  decodePayload,
  END_OF_RECORDS,
  encodeEnd,
  encodeNoop,
  encodeProgress,
  encodeStart,
  MAX_PAYLOAD_BYTES,
  scanFrames,
  segmentDigits,
  stampFrame,
} from "../src/frames.ts";
import { readQuarantined } from "../src/quarantine.ts";
import type { FinishRecord, StartRecord } from "../src/records.ts";
import { areAskedAlike, askedText } from "../src/spooled-record.ts";
import { finishOf, oldFrame, progressOf, startOf } from "./arrange.ts";

test("CRC-32C agrees with the vectors of RFC 3720", () => {
  expect(crc32c(Buffer.from("123456789"))).toBe(0xe3069283);
  expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa);
  expect(crc32c(Buffer.alloc(32, 0xff))).toBe(0x62a8ab43);
  expect(crc32c(Buffer.from(Array.from({ length: 32 }, (_, i) => i)))).toBe(0x46dd794e);
  expect(crc32c(Buffer.from("xx123456789y"), 2, 11)).toBe(0xe3069283);
});

const records = Array.from({ length: 5 }, (_, i) => finishOf({ model: `model-${i}`, client: 'quo"te \u0000 {"v":1}' }));
const stamped = (frame: Buffer, segment = 1) => stampFrame(frame, Buffer.from(segmentDigits(segment)));
const framesOf = (segment: number) => records.map((record, i) => stamped(encodeEnd("finish", record, 1_000 + i).frame, segment));
const frames = framesOf(1);
const whole = Buffer.concat(frames);

const read = (bytes: Buffer) => [...scanFrames(bytes, 1)].flatMap((found) => (found.good ? [decodePayload(found.payload)?.record] : []));

test("what is written is read back, whatever text it carries", () => {
  expect(read(whole)).toEqual(records);
});

test("a PROGRESS is read back, whatever its provider calls the model, and so is a probe of the disk", () => {
  const plain = progressOf("0190a0a0-0000-7000-8000-000000000001", 7);
  const written = [plain, { ...plain, ttftMs: null, estimated: false }, { ...plain, upstreamModel: 'q"\\ \u0000 \u{1f600}' }];
  const frames = written.map((record, i) => stamped(encodeProgress(record, 1_000 + i)));
  expect(read(Buffer.concat([...frames, stamped(encodeNoop(1))]))).toEqual([...written, null]);
});

test("records of earlier versions are read as well, also between new ones", () => {
  const ends = [1, 2, 3].map((version, i) => oldFrame(version as 1 | 2 | 3, "finish", records[i] as FinishRecord));
  expect(read(Buffer.concat([frames[3], ...ends, frames[4]] as Buffer[]))).toEqual([3, 0, 1, 2, 4].map((i) => records[i]));
  const start = startOf(finishOf());
  expect(read(Buffer.concat([oldFrame(3, "start", start), oldFrame(2, "progress", progressOf(start.row.id, 7))]))).toEqual([
    start,
    progressOf(start.row.id, 7),
  ]);
});

test("in a file used again, records of its earlier segment are neither read nor taken for damage", () => {
  const reused = (written: Buffer[]) => {
    const bytes = Buffer.concat(framesOf(7).reverse());
    Buffer.concat(written).copy(bytes);
    return bytes;
  };
  const scan = (bytes: Buffer) => [...scanFrames(bytes, 1)].map(({ good, start, end }) => ({ good, start, end }));
  for (let count = 0; count < frames.length; count++) {
    const bytes = reused([...frames.slice(0, count), END_OF_RECORDS]);
    expect(read(bytes)).toEqual(records.slice(0, count));
    expect(scan(bytes).every(({ good }) => good)).toBe(true);
  }
  expect([...scanFrames(Buffer.concat(framesOf(7)))], "to whom the segment does not matter").toHaveLength(records.length);

  // Died in the middle of a write.
  const [first, second] = frames as [Buffer, Buffer];
  const torn = reused([first, second.subarray(0, 200)]);
  expect(read(torn)).toEqual([records[0]]);
  expect(scan(torn).at(-1)).toEqual({ good: false, start: first.length, end: torn.length });
  // A page of zeros before good records is damage, not the end.
  const hole = Buffer.concat([first, Buffer.alloc(512), second]);
  expect(read(hole)).toEqual([records[0], records[1]]);
  expect(scan(hole).filter(({ good }) => !good)).toHaveLength(1);
});

test("quarantined bytes are read as the end that they are, not as an older one among damaged bytes", () => {
  const [first, second] = frames as [Buffer, Buffer];
  expect(readQuarantined(first)).toEqual(records[0]);
  expect(readQuarantined(Buffer.concat([Buffer.alloc(20, "~"), second]))).toBeNull();
  expect(readQuarantined(Buffer.concat([first, second.subarray(0, 100)]))).toBeNull();
});

test("a START is read back as it was", () => {
  const { row } = finishOf({ model: 'quo"te' });
  const price = {
    priceId: row.id,
    inputPerMTok: "3",
    outputPerMTok: "15",
    cacheWrite5mPerMTok: null,
    cacheWrite1hPerMTok: null,
    cacheReadPerMTok: null,
  };
  const starts = [price, null].map((each) => ({ row, price: each, providerMultiplier: "1.5", groupMultiplier: "1" }));
  expect(read(Buffer.concat(starts.map((start) => stamped(encodeStart(start, 5)))))).toEqual(starts);
});

/** A row as at its START, and one that has nothing in common with it. */
const begun: RequestRow = { ...startOf(finishOf()).row, attempts: 0, upstreamModel: "" };
const other: RequestRow = {
  ...{ id: "i", tenantId: "t", userId: "u", keyId: "k", sessionId: "s", providerId: "p", group: "g", dialect: "openai", endpoint: "chat" },
  ...{ stream: true, model: "m", upstreamModel: "n", state: "error", status: 502, errorCode: "upstream_error", attempts: 2 },
  ...{ usage: { input: 1, output: 2, cacheWrite5m: 3, cacheWrite1h: 4, cacheRead: 5 }, flags: ["partial"], costNanoUsd: "7" },
  ...{ billable: false, startedAtMs: 1, ttftMs: 2, durationMs: 3, client: "c", correctsId: "r" },
};
const readRows = (rows: RequestRow[], asked?: string) =>
  read(
    Buffer.concat(rows.map((row) => stamped(encodeStart({ row, price: null, providerMultiplier: "1", groupMultiplier: "1" }, 5, asked)))),
  ).map((record) => (record as StartRecord).row);

test("a row that differs from one at its START in any field is read with this field; the others take half as much", () => {
  const names = Object.keys(begun) as (keyof RequestRow)[];
  const rows = [begun, other, ...names.map((name): RequestRow => ({ ...begun, [name]: other[name] }))];
  expect(names).toEqual(expect.arrayContaining(Object.keys(other)));
  expect(readRows(rows)).toEqual(rows);
  const bytesOf = (row: RequestRow) => encodeStart({ row, price: null, providerMultiplier: "1", groupMultiplier: "1" }, 5).length;
  expect(bytesOf({ ...begun, upstreamModel: begun.model })).toBeGreaterThan(bytesOf(begun) + 50);
});

test("what was asked is written once for all states of a request, and never for another one", () => {
  const asked = askedText(begun);
  for (const name of Object.keys(begun) as (keyof RequestRow)[]) {
    const row: RequestRow = { ...begun, [name]: other[name] };
    if (areAskedAlike(begun, row)) expect(readRows([row], asked)).toEqual([row]);
    else expect(askedText(row)).not.toBe(asked);
  }
});

test("an end is read back as it was, whatever its row says", () => {
  const texts = {
    model: 'quo"te \\ \u0000\n',
    upstreamModel: "模型 \u2028 é",
    client: "\ud83d\ude00 \ud800",
    errorCode: "",
    sessionId: "~ [x]",
  };
  const ends = [
    finishOf(texts),
    finishOf({ flags: ["estimated", "partial"], costNanoUsd: null, ttftMs: null, durationMs: null }),
    finishOf({ costNanoUsd: "-5", billable: false, stream: true, correctsId: records[0]?.row.id ?? "" }),
  ];
  const encoded = ends.map((end) => encodeEnd("finish", end, 5));
  expect(encoded.map(({ detail }) => JSON.parse(detail.toString()))).toEqual(ends.map(({ detail }) => detail));
  const bytes = Buffer.concat(encoded.map(({ frame }) => stamped(frame)));
  expect(read(bytes)).toEqual(ends);
});

test("a segment cut at any byte gives exactly the records before the cut", () => {
  const ends = frames.map((_, i) => frames.slice(0, i + 1).reduce((sum, frame) => sum + frame.length, 0));
  for (let cut = 0; cut <= whole.length; cut++) {
    expect(read(whole.subarray(0, cut)).length).toBe(ends.filter((end) => end <= cut).length);
  }
});

test("damage in the middle costs the records it touches and no other; garbage invents none", () => {
  const random = seededRandom(11);
  for (let round = 0; round < 300; round++) {
    const bytes = Buffer.from(whole);
    const at = Math.floor(random() * bytes.length);
    const length = 1 + Math.floor(random() * 40);
    for (let i = at; i < Math.min(bytes.length, at + length); i++) bytes[i] = Math.floor(random() * 256);
    const found = read(bytes);
    expect(records).toEqual(expect.arrayContaining(found));
    expect(found.length).toBeGreaterThanOrEqual(records.length - 2);
  }
  const noise = Buffer.from(Array.from({ length: 50_000 }, () => Math.floor(random() * 256)));
  expect(read(noise)).toEqual([]);
  expect(read(Buffer.concat([noise, whole]))).toEqual(records);
});

test("a version or kind of a later program is no record, and a record too large is refused", () => {
  expect(decodePayload(Buffer.from('{"v":5,"k":"finish","t":1,"r":{}}'))).toBeNull();
  expect(decodePayload(Buffer.from('{"v":1,"k":"novel","t":1,"r":{}}'))).toBeNull();
  expect(decodePayload(Buffer.from('{"v":1,"k":'))).toBeNull();
  const huge = progressOf("x".repeat(MAX_PAYLOAD_BYTES), 1);
  expect(() => encodeProgress(huge, 1)).toThrow(RangeError);
});

test("a failpoint kills or throws at the pass it names, and only there", () => {
  const kills: string[] = [];
  const hook = failpointFrom("mid_batch:kill@2", () => kills.push("killed"));
  hook("mid_batch");
  hook("after_start");
  expect(kills).toEqual([]);
  hook("mid_batch");
  hook("mid_batch");
  expect(kills).toEqual(["killed"]);
  const throwing = failpointFrom("mid_batch:throw", () => kills.push("killed"));
  expect(() => throwing("mid_batch")).toThrow("mid_batch");
  throwing("mid_batch");
  expect(kills).toEqual(["killed"]);
  expect(() => failpointFrom("nowhere:kill")).toThrow(RangeError);
  expect(failpointFrom("")("mid_batch")).toBeUndefined();
});

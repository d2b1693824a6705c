import { seededRandom } from "@sluice/testing/seeded-random";
import { expect, test } from "vitest";
import { crc32c } from "../src/crc32c.ts";
import { failpointFrom } from "../src/failpoints.ts";
import { decodePayload, encodeEnd, encodeFrame, encodeStart, MAX_PAYLOAD_BYTES, scanFrames } from "../src/frames.ts";
import { finishOf, progressOf } from "./arrange.ts";

test("CRC-32C agrees with the vectors of RFC 3720", () => {
  expect(crc32c(Buffer.from("123456789"))).toBe(0xe3069283);
  expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa);
  expect(crc32c(Buffer.alloc(32, 0xff))).toBe(0x62a8ab43);
  expect(crc32c(Buffer.from(Array.from({ length: 32 }, (_, i) => i)))).toBe(0x46dd794e);
  expect(crc32c(Buffer.from("xx123456789y"), 2, 11)).toBe(0xe3069283);
});

const records = Array.from({ length: 5 }, (_, i) => finishOf({ model: `model-${i}`, client: 'quo"te \u0000 {"v":1}' }));
const frames = records.map((record, i) => encodeFrame("finish", record, 1_000 + i));
const whole = Buffer.concat(frames);

const read = (bytes: Buffer) => [...scanFrames(bytes)].flatMap((found) => (found.good ? [decodePayload(found.payload)?.record] : []));

test("what is written is read back, whatever text it carries", () => {
  expect(read(whole)).toEqual(records);
});

test("a spool of the version before, with its other checksum, is read as well, also between new records", () => {
  const payload = Buffer.from(JSON.stringify({ v: 1, k: "finish", t: 7, r: records[0] }));
  const head = Buffer.alloc(8);
  head.writeUInt32LE(payload.length, 0);
  head.writeUInt32LE(crc32c(payload), 4);
  expect(read(Buffer.concat([frames[1], head, payload, frames[2]] as Buffer[]))).toEqual([records[1], records[0], records[2]]);
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
  expect(read(Buffer.concat(starts.map((start) => encodeStart(start, 5))))).toEqual(starts);
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
  const bytes = Buffer.concat(ends.map((end) => encodeEnd("finish", end, JSON.stringify(end.detail), 5)));
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
    expect(records.map((record) => JSON.stringify(record))).toEqual(expect.arrayContaining(found.map((record) => JSON.stringify(record))));
    expect(found.length).toBeGreaterThanOrEqual(records.length - 2);
  }
  const noise = Buffer.from(Array.from({ length: 50_000 }, () => Math.floor(random() * 256)));
  expect(read(noise)).toEqual([]);
  expect(read(Buffer.concat([noise, whole]))).toEqual(records);
});

test("a version or kind of a later program is no record, and a record too large is refused", () => {
  expect(decodePayload(Buffer.from('{"v":3,"k":"finish","t":1,"r":{}}'))).toBeNull();
  expect(decodePayload(Buffer.from('{"v":1,"k":"novel","t":1,"r":{}}'))).toBeNull();
  expect(decodePayload(Buffer.from('{"v":1,"k":'))).toBeNull();
  const huge = progressOf("x".repeat(MAX_PAYLOAD_BYTES), 1);
  expect(() => encodeFrame("progress", huge, 1)).toThrow(RangeError);
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

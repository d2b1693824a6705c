import { isUtf8 } from "node:buffer";
import { SluiceError } from "../errors.ts";
import type { BodyRewrite, Envelope, Route } from "./dialect.ts";
import { asRecord, type JsonRecord } from "./json.ts";
import { type Member, type ObjectScan, scanObject } from "./json-scan.ts";

/** What every dialect needs from a body before it reads its own fields. */
export interface BodyReading {
  value: JsonRecord;
  scan: ObjectScan;
}

const MAX_MODEL_LENGTH = 256;
/** Names that folding does not change: nearly all that clients send. */
const plainName = /^[a-z0-9_]*$/;
const control = /\p{C}/u;
/** Counted for a long base64 string (an image or a file): about what providers charge for a one-megapixel image. */
const TOKENS_PER_BINARY = 1500;

/**
 * Compares names the way the most lenient upstream does: Go's encoding/json matches field names case-insensitively, so
 * {"model":"cheap","Model":"dear"} would be admitted as one model and served as another.
 */
function foldName(name: string): string {
  if (plainName.test(name)) return name;
  return name.toLowerCase().replaceAll("\u017f", "s");
}

/**
 * Reads a request body strictly: UTF-8 (fatal), depth ≤ 64, an object, no top-level name twice.
 * @throws SluiceError invalid_json, too_deep, duplicate_field, invalid_request.
 */
export function readBody(body: Buffer): BodyReading {
  if (!isUtf8(body)) throw new SluiceError("invalid_json");
  const scan = scanObject(body);
  let value: unknown;
  try {
    value = JSON.parse(body.toString("utf8"));
  } catch {
    throw new SluiceError("invalid_json");
  }
  const record = asRecord(value);
  if (!record) throw new SluiceError("invalid_request", { message: "The body must be a JSON object." });
  const seen = new Set<string>();
  for (const { name } of scan.members) {
    const folded = foldName(name);
    if (seen.has(folded)) throw new SluiceError("duplicate_field", { field: folded });
    seen.add(folded);
  }
  return { value: record, scan };
}

function findMember(scan: ObjectScan, name: string): Member | undefined {
  return scan.members.find((member) => member.name === name);
}

/** Clients choose model names, so these are bounded; when full they are forgotten. */
const MAX_CHECKED = 1_000;
const checkedModels = new Map<string, string>();

/**
 * Checks a model name from a body or a path. Equal names are returned as one and the same text, which maps of models find without
 * hashing and comparing it anew.
 * @throws SluiceError missing_model, invalid_request.
 */
export function checkModel(model: unknown): string {
  const checked = typeof model === "string" ? checkedModels.get(model) : undefined;
  if (checked !== undefined) return checked;
  const name = validModel(model);
  if (checkedModels.size >= MAX_CHECKED) checkedModels.clear();
  checkedModels.set(name, name);
  return name;
}

function validModel(model: unknown): string {
  if (typeof model !== "string" || model.trim() === "") throw new SluiceError("missing_model", { field: "model" });
  if (model.length > MAX_MODEL_LENGTH || control.test(model) || model !== model.trim()) {
    throw new SluiceError("invalid_request", { message: "The field 'model' is not a valid model name.", field: "model" });
  }
  return model;
}

/** The part of the envelope that all dialects share; each adds its own fields. */
export function readCommonEnvelope(reading: BodyReading, body: Buffer, route: Route): Envelope {
  const { value, scan } = reading;
  const modelMember = route.model === undefined ? findMember(scan, "model") : undefined;
  const model = checkModel(route.model ?? value.model);
  const stream = value.stream;
  if (route.stream === undefined && stream !== undefined && stream !== null && typeof stream !== "boolean") {
    throw new SluiceError("invalid_request", { message: "The field 'stream' must be true or false.", field: "stream" });
  }
  const options = findMember(scan, "stream_options");
  return {
    model,
    stream: route.stream ?? stream === true,
    modelSpan: modelMember ? [modelMember.start, modelMember.end] : null,
    includesUsage: false,
    streamOptionsSpan: options ? [options.start, options.end] : null,
    sessionHint: "",
    maxOutputTokens: null,
    maxOutputSpan: null,
    answers: 1,
    cacheTtl: "none",
    inputEstimate: Math.ceil((body.length - scan.binaryBytes) / 4) + scan.binaries * TOKENS_PER_BINARY,
  };
}

/** Records the requested maximum output: the first of these top-level fields that holds a number. */
export function noteMaxOutput(envelope: Envelope, { value, scan }: BodyReading, names: readonly string[]): void {
  for (const name of names) {
    const tokens = value[name];
    const member = findMember(scan, name);
    if (!member || !isCount(tokens)) continue;
    envelope.maxOutputTokens = tokens;
    envelope.maxOutputSpan = [member.start, member.end];
    return;
  }
}

/** Whether the value is a positive integer. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

interface Splice {
  start: number;
  end: number;
  text: string;
}

/** The splice that makes `stream_options.include_usage` true. */
function usageSplice(body: Buffer, span: Envelope["streamOptionsSpan"]): Splice {
  if (!span) {
    const { open } = scanObject(body);
    return { start: open, end: open, text: '"stream_options":{"include_usage":true},' };
  }
  const [start, end] = span;
  if (body[start] !== 0x7b) return { start, end, text: '{"include_usage":true}' };
  const { members, open } = scanObject(body, start, end);
  const member = members.find(({ name }) => name === "include_usage");
  if (member) return { start: member.start, end: member.end, text: "true" };
  return { start: open, end: open, text: members.length > 0 ? '"include_usage":true,' : '"include_usage":true' };
}

/** The original bytes with only the given parts replaced; the same Buffer when nothing changes. */
export function rewriteBody(body: Buffer, envelope: Envelope, rewrite: BodyRewrite): Buffer {
  const splices: Splice[] = [];
  if (rewrite.model !== undefined && rewrite.model !== envelope.model && envelope.modelSpan) {
    const [start, end] = envelope.modelSpan;
    splices.push({ start, end, text: JSON.stringify(rewrite.model) });
  }
  if (rewrite.maxOutputTokens !== undefined && envelope.maxOutputSpan) {
    const [start, end] = envelope.maxOutputSpan;
    splices.push({ start, end, text: String(rewrite.maxOutputTokens) });
  }
  if (rewrite.includeUsage) splices.push(usageSplice(body, envelope.streamOptionsSpan));
  if (splices.length === 0) return body;
  splices.sort((a, b) => a.start - b.start);
  const parts: Buffer[] = [];
  let at = 0;
  for (const splice of splices) {
    parts.push(body.subarray(at, splice.start), Buffer.from(splice.text));
    at = splice.end;
  }
  parts.push(body.subarray(at));
  return Buffer.concat(parts);
}

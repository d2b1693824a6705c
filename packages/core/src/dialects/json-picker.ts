import type { JsonRecord } from "./json.ts";

const MAX_KEY = 64;
/** Limit for all picked values of one event together. */
const MAX_PICKED = 32 * 1024;

/** The end of a string, or an escape, which may hide one. */
const inString = /["\\]/g;
/** The only characters that matter where nothing is picked. */
const structure = /["{}[\]]/g;

/** Offset of the next of these characters; the text's length when there is none. */
function find(pattern: RegExp, text: string, from: number): number {
  pattern.lastIndex = from;
  return pattern.test(text) ? pattern.lastIndex - 1 : text.length;
}

interface Capture {
  path: string;
  depth: number;
  text: string;
}

/**
 * Picks a few values out of a JSON object that arrives in pieces and is too large to keep (base64 images, a whole
 * response repeated at its end), in one pass and constant memory. Paths are keys joined by dots; `*` stands for any array
 * element ("candidates.*.finishReason"; the last one wins). On invalid JSON it only promises to terminate.
 */
export class JsonPicker {
  readonly #wanted: ReadonlySet<string>;
  readonly #deepest: number;
  readonly #picked = new Map<string, string>();
  #pickedChars = 0;
  /** Key (or `*`) and kind of each open container, down to the deepest wanted path. */
  #keys: string[] = [];
  #isObject: boolean[] = [];
  #depth = 0;
  #expectsKey = false;
  #inString = false;
  #escaped = false;
  #key: string | null = null;
  #capture: Capture | null = null;

  constructor(paths: readonly string[]) {
    this.#wanted = new Set(paths);
    this.#deepest = Math.max(0, ...paths.map((path) => path.split(".").length));
  }

  /** Takes the next piece: UTF-8 bytes as latin1. */
  push(text: string): void {
    for (let i = 0; i < text.length; i++) {
      if (this.#inString) i = this.#readString(text, i);
      else {
        if (this.#depth > this.#deepest && !this.#capture) i = find(structure, text, i);
        this.#readToken(text.charAt(i));
      }
    }
  }

  /** The picked values in their original nesting: objects, and arrays of one element. */
  result(): JsonRecord {
    const root: JsonRecord = {};
    for (const [path, raw] of this.#picked) {
      let value: unknown;
      try {
        value = JSON.parse(Buffer.from(raw, "latin1").toString("utf8"));
      } catch {
        continue;
      }
      place(root, path.split("."), value);
    }
    return root;
  }

  /** Reads inside a string from `from`; returns the offset of its last character in this piece. */
  #readString(text: string, from: number): number {
    let i = from;
    for (; i < text.length; i++) {
      if (this.#escaped) {
        this.#escaped = false;
        continue;
      }
      i = find(inString, text, i);
      if (text[i] === "\\") this.#escaped = true;
      else if (text[i] === '"') {
        this.#inString = false;
        break;
      }
    }
    const piece = text.slice(from, Math.min(i + 1, text.length));
    if (this.#capture) this.#take(piece);
    else if (this.#key !== null && this.#key.length <= MAX_KEY) this.#key += piece;
    if (!this.#inString) this.#endString();
    return i;
  }

  #endString(): void {
    if (this.#key !== null) {
      if (this.#depth <= this.#deepest) this.#keys[this.#depth - 1] = this.#key.slice(0, -1);
      this.#key = null;
    } else if (this.#capture?.depth === this.#depth) this.#endCapture();
  }

  #readToken(char: string): void {
    switch (char) {
      case '"':
        this.#inString = true;
        if (this.#expectsKey && !this.#capture) this.#key = "";
        else this.#beginValue(char);
        break;
      case "{":
      case "[":
        this.#beginValue(char);
        this.#depth++;
        if (this.#depth <= this.#deepest) {
          this.#isObject[this.#depth - 1] = char === "{";
          this.#keys[this.#depth - 1] = "*";
        }
        this.#expectsKey = char === "{" && this.#depth <= this.#deepest;
        break;
      case "}":
      case "]":
        if (this.#capture?.depth === this.#depth) this.#endCapture();
        this.#depth--;
        this.#expectsKey = false;
        if (this.#capture) this.#take(char);
        if (this.#capture?.depth === this.#depth) this.#endCapture();
        break;
      case ",":
        if (this.#capture?.depth === this.#depth) this.#endCapture();
        else if (this.#capture) this.#take(char);
        this.#expectsKey = this.#depth <= this.#deepest && this.#isObject[this.#depth - 1] === true;
        break;
      case ":":
        if (this.#capture) this.#take(char);
        this.#expectsKey = false;
        break;
      case " ":
      case "\n":
      case "\r":
      case "\t":
        break;
      default:
        this.#beginValue(char);
    }
  }

  #beginValue(char: string): void {
    if (this.#capture) {
      this.#take(char);
    } else if (this.#depth > 0 && this.#depth <= this.#deepest && !this.#expectsKey) {
      const path = this.#keys.slice(0, this.#depth).join(".");
      if (this.#wanted.has(path)) this.#capture = { path, depth: this.#depth, text: char };
    }
  }

  #take(text: string): void {
    const capture = this.#capture;
    if (!capture) return;
    if (this.#pickedChars + capture.text.length + text.length > MAX_PICKED) this.#capture = null;
    else capture.text += text;
  }

  #endCapture(): void {
    const capture = this.#capture;
    this.#capture = null;
    if (!capture) return;
    this.#pickedChars += capture.text.length - (this.#picked.get(capture.path)?.length ?? 0);
    this.#picked.set(capture.path, capture.text);
  }
}

function place(root: JsonRecord, path: readonly string[], value: unknown): void {
  let at: JsonRecord | unknown[] = root;
  path.forEach((step, index) => {
    const isLast = index === path.length - 1;
    const next: unknown = isLast ? value : path[index + 1] === "*" ? [] : {};
    if (Array.isArray(at)) {
      if (isLast || at.length === 0) at[0] = next;
      at = at[0] as JsonRecord | unknown[];
    } else {
      if (isLast || !Object.hasOwn(at, step)) at[step] = next;
      at = at[step] as JsonRecord | unknown[];
    }
  });
}

import { SluiceError } from "../../errors.ts";
import { ArgumentBalance } from "./argument-balance.ts";
import type { AnswerEvent, PartOpening } from "./intermediate.ts";

/** Limit for waiting content, characters. Chat providers that interleave parallel calls do so by a few hundred. */
const MAX_WAITING = 1024 * 1024;
/** What a waiting part counts in addition to its text. */
const PART_CHARS = 64;

type Content = Extract<AnswerEvent, { kind: "delta" | "seal" }>;

function charsOf(event: Content): number {
  return event.kind === "delta" ? event.text.length : event.seal.data.length;
}

interface OpenPart {
  key: string;
  part: PartOpening;
  balance: ArgumentBalance | null;
  hasText: boolean;
}

interface WaitingPart {
  key: string;
  part: PartOpening;
  events: AnswerEvent[];
}

/**
 * Puts the parts of an answer in sequence, as Anthropic's and Responses' clients require: one open at a time, each ended
 * before the next begins. A chat stream may interleave the arguments of parallel calls and does not mark the end of a
 * call; a call is over when its JSON is complete. Fragments of the next call wait until then; everything else passes at
 * once.
 */
export class Sequencer {
  readonly #pass: (event: AnswerEvent) => void;
  readonly #parts = new Map<string, PartOpening>();
  #open: OpenPart | null = null;
  #waiting: WaitingPart[] = [];
  #waitingChars = 0;

  constructor(pass: (event: AnswerEvent) => void) {
    this.#pass = pass;
  }

  push(event: AnswerEvent): void {
    switch (event.kind) {
      case "part":
        this.#begin(event.key, event.part);
        break;
      case "delta":
      case "seal":
        this.#take(event);
        break;
      case "part-end":
        if (this.#open?.key === event.key) this.#close();
        else this.#waitingPart(event.key)?.events.push(event);
        break;
      case "stop":
      case "end":
        this.#closeAll();
        this.#pass(event);
        break;
      default:
        this.#pass(event);
    }
  }

  #begin(key: string, part: PartOpening): void {
    if (this.#open?.key === key || this.#waitingPart(key)) return;
    this.#parts.set(key, part);
    if (this.#open && !this.#mayClose(this.#open)) {
      this.#count(PART_CHARS);
      this.#waiting.push({ key, part, events: [] });
      return;
    }
    if (this.#open) this.#close();
    // Closing may have opened a waiting part: the new one queues behind it.
    if (this.#open) this.#begin(key, part);
    else this.#start(key, part);
  }

  #start(key: string, part: PartOpening): OpenPart {
    const open = { key, part, balance: part.kind === "tool-call" ? new ArgumentBalance() : null, hasText: false };
    this.#open = open;
    this.#pass({ kind: "part", key, part });
    return open;
  }

  /** Text and thinking end when something else begins, a call when its arguments are complete. */
  #mayClose({ balance }: OpenPart): boolean {
    return balance === null || balance.isWhole;
  }

  #take(event: Content): void {
    if (event.kind === "delta" && event.text === "") return;
    if (this.#open?.key === event.key) {
      this.#forward(this.#open, event);
      if (this.#waiting.length > 0 && this.#mayClose(this.#open)) this.#close();
      return;
    }
    const waiting = this.#waitingPart(event.key);
    if (waiting) this.#wait(waiting, event);
    else this.#reopen(event);
  }

  #forward(open: OpenPart, event: Content): void {
    if (event.kind === "delta") {
      open.hasText = true;
      open.balance?.push(event.text);
    }
    this.#pass(event);
  }

  #wait(waiting: WaitingPart, event: Content): void {
    this.#count(charsOf(event));
    waiting.events.push(event);
  }

  #count(chars: number): void {
    this.#waitingChars += chars;
    if (this.#waitingChars > MAX_WAITING) throw disorder("more than a megabyte of interleaved parts");
  }

  /** Handles more content of a part that has ended: text continues as a new part; white space after arguments is ignored. */
  #reopen(event: Content): void {
    const part = this.#parts.get(event.key);
    if (!part) throw disorder("a fragment of a part that never began");
    if (part.kind === "tool-call") {
      if (event.kind === "delta" && event.text.trim() === "") return;
      throw disorder("arguments behind the end of a tool call");
    }
    this.#begin(event.key, part);
    this.#take(event);
  }

  #waitingPart(key: string): WaitingPart | undefined {
    return this.#waiting.find((part) => part.key === key);
  }

  /** Ends the open part and begins the one that has waited longest; repeats while that one is over as well. */
  #close(): void {
    let isOver = true;
    while (this.#open && isOver) {
      const { key, part, hasText } = this.#open;
      // Arguments are always JSON: a call without any gets an empty object.
      if (part.kind === "tool-call" && !hasText) this.#pass({ kind: "delta", key, text: "{}" });
      this.#pass({ kind: "part-end", key });
      this.#open = null;
      const next = this.#waiting.shift();
      if (next) isOver = this.#replay(next);
    }
  }

  /** Begins a waiting part with its queued events; returns whether it is over or may make room for the next. */
  #replay({ key, part, events }: WaitingPart): boolean {
    const open = this.#start(key, part);
    let ended = false;
    for (const event of events) {
      if (event.kind === "part-end") ended = true;
      else if (event.kind === "delta" || event.kind === "seal") {
        this.#waitingChars -= charsOf(event);
        this.#forward(open, event);
      }
    }
    this.#waitingChars -= PART_CHARS;
    return ended || (this.#waiting.length > 0 && this.#mayClose(open));
  }

  #closeAll(): void {
    while (this.#open) this.#close();
  }
}

function disorder(what: string): SluiceError {
  return new SluiceError("upstream_error", { detail: `conversion: ${what}` });
}

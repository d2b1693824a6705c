import { unitAt } from "../../string-methods.ts";

/** Follows a JSON object that arrives in pieces, in constant memory, to tell when its last brace has come. */
export class ArgumentBalance {
  #depth = 0;
  #inString = false;
  #escaped = false;
  #isWhole = false;

  get isWhole(): boolean {
    return this.#isWhole;
  }

  push(piece: string): void {
    for (let i = 0; i < piece.length; i++) {
      const char = unitAt(piece, i);
      if (this.#inString) this.#readString(char);
      else if (char === 0x22) this.#inString = true;
      else if (char === 0x7b || char === 0x5b) this.#depth++;
      else if (char === 0x7d || char === 0x5d) {
        this.#depth--;
        this.#isWhole = this.#depth <= 0;
      }
    }
  }

  #readString(char: number): void {
    if (this.#escaped) this.#escaped = false;
    else if (char === 0x5c) this.#escaped = true;
    else if (char === 0x22) this.#inString = false;
  }
}

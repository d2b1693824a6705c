/** Upper bound of the savings: a quiet hour must not pay for a storm. */
const mostSaved = 10;

/** Limits how many requests may ask a second provider: each request pays in a percentage, and a hedge costs a whole one. */
export class HedgeBudget {
  #saved = 0;

  /** Adds the share of one request. */
  payIn(percent: number): void {
    this.#saved = Math.min(mostSaved, this.#saved + percent / 100);
  }

  /** Takes a whole one from the savings if there is one: then a second provider may be asked. */
  take(): boolean {
    // Hundredths do not add up exactly.
    if (this.#saved < 1 - 1e-9) return false;
    this.#saved -= 1;
    return true;
  }
}

/** What is saved up at most: a quiet hour does not pay for a storm. */
const mostSaved = 10;

/** How many requests may ask a second provider: every request pays in its percentage, one that does so takes a whole. */
export class HedgeBudget {
  #saved = 0;

  /** One more request. */
  payIn(percent: number): void {
    this.#saved = Math.min(mostSaved, this.#saved + percent / 100);
  }

  /** Whether one may ask a second provider now; then it is taken. */
  take(): boolean {
    // Hundredths do not add up exactly.
    if (this.#saved < 1 - 1e-9) return false;
    this.#saved -= 1;
    return true;
  }
}

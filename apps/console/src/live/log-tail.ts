import { FINAL_REV, type LiveEvent, revOfState } from "@sluice/core/events";
import type { LogFilter } from "@sluice/core/inputs/log";
import { matchesLog } from "@sluice/core/match-log";
import type { RequestRow } from "@sluice/core/requests";
import { isErrorRow } from "./error-row.ts";
import { CROWD_MAX, CROWDED_MS, HELD_MAX, LEAVE_MS, SCROLLBACK_MAX, WINDOW_MAX } from "./log-limits.ts";
import { anchorOf, gapAfter, insertInto, isGap } from "./log-order.ts";

/**
 * The rows of the request log as one reader sees them, kept outside React: pages from the server and events from the stream are merged
 * here. An event applies only when its rev is higher than the known one, so replays and overlaps are harmless. While the reader is held
 * (scrolled away, selecting, focused) or paused, new rows wait, but visible rows still change in place, because that moves nothing.
 */
export interface TailRow {
  row: RequestRow;
  rev: number;
  /** Time in ms at which it stopped matching the filter; 0 = it matches. */
  leftAtMs: number;
}

type TailMode = "live" | "holding" | "paused";

export interface TailView {
  order: readonly string[];
  mode: TailMode;
  held: number;
  heldErrors: number;
  /** More rows than the limit waited: the oldest were dropped, and merging leaves a gap to fill. */
  heldOverflow: boolean;
}

export interface TailOptions {
  filter: LogFilter;
  /** Runs a flush soon; in the browser at most ten times a second. */
  schedule(flush: () => void): void;
  now?(): number;
}

type RequestEvent = Extract<LiveEvent, { rev: number }>;

export class LogTail {
  readonly filter: LogFilter;
  #options: TailOptions;
  #rows = new Map<string, TailRow>();
  #held = new Map<string, TailRow>();
  #queue = new Map<string, RequestEvent>();
  #leaving = new Set<string>();
  #view: TailView = { order: [], mode: "live", held: 0, heldErrors: 0, heldOverflow: false };
  #holding = false;
  #paused = false;
  /** Rows at or below this id are in pages not loaded yet; '' = everything is loaded. */
  #floor = "";
  #loaded = false;
  #scheduled = false;
  #arrived = { rows: 0, errors: 0 };
  /** Matching new rows in one second, including those not shown. */
  #crowd = { second: 0, rows: 0, untilMs: 0 };
  /** Ids of rows that were counted but not shown, until they end. */
  #unseen = new Set<string>();
  #viewListeners = new Set<() => void>();
  #rowListeners = new Map<string, Set<() => void>>();

  constructor(options: TailOptions) {
    this.#options = options;
    this.filter = options.filter;
  }

  view = (): TailView => this.#view;

  onView = (listener: () => void): (() => void) => {
    this.#viewListeners.add(listener);
    return () => this.#viewListeners.delete(listener);
  };

  row(id: string): TailRow | undefined {
    return this.#rows.get(id);
  }

  onRow(id: string, listener: () => void): () => void {
    const known = this.#rowListeners.get(id) ?? new Set();
    this.#rowListeners.set(id, known.add(listener));
    return () => {
      known.delete(listener);
      if (known.size === 0 && this.#rowListeners.get(id) === known) this.#rowListeners.delete(id);
    };
  }

  /** Number of rows and errors received from the stream so far, for spoken summaries. */
  arrived(): { rows: number; errors: number } {
    return { ...this.#arrived };
  }

  /**
   * Whether new rows arrive faster than a reader can follow. Then rows outside the stream's sample are not shown; with a filter that
   * matches few rows, all are.
   */
  crowded(): boolean {
    return this.#now() < this.#crowd.untilMs;
  }

  /** Ids shown as in flight, whose state must be read again after a gap in the stream. */
  inFlight(max = 200): string[] {
    const ids: string[] = [];
    for (const item of this.#view.order) {
      if (ids.length === max) break;
      const state = this.#rows.get(item)?.row.state;
      if (state === "in_flight" || state === "lost") ids.push(item);
    }
    return ids;
  }

  /** Queues events; they show at the next flush. */
  push(events: readonly LiveEvent[]): void {
    for (const event of events) {
      if (!("rev" in event) || event.row.correctsId) continue;
      const queued = this.#queue.get(event.row.id);
      if (queued && event.rev <= queued.rev) continue;
      const { aside, ...shown } = event;
      this.#queue.set(event.row.id, queued && aside && !queued.aside ? shown : event);
    }
    if (this.#queue.size > 0 && this.#loaded) this.#soon();
  }

  /**
   * Adds a page read from the server. `floor` is the id below which there are more rows, '' at the end of the log. With `gap`, the page
   * did not reach the rows already known.
   */
  load(rows: readonly RequestRow[], page: { floor: string } | { gap: string } = { floor: "" }): void {
    const added: string[] = [];
    for (const row of rows) this.#put(row, added);
    if ("gap" in page) added.push(gapAfter(page.gap));
    else this.#floor = page.floor;
    this.#loaded = true;
    this.#show({ order: insertInto(this.#view.order, added) });
    this.flush();
  }

  /** Newer states of known rows. */
  refresh(rows: readonly RequestRow[]): void {
    for (const row of rows) if (this.#rows.has(row.id)) this.#put(row, []);
    this.#soon();
  }

  /** Fills a gap with the page read below it. What lies below the page's `edge` (null = nothing) and above known rows remains a gap. */
  fill(gap: string, rows: readonly RequestRow[], edge: string | null): void {
    const { order } = this.#view;
    const nextKnown = order[order.indexOf(gap) + 1];
    const added: string[] = [];
    for (const row of rows) this.#put(row, added);
    const met = edge === null || (nextKnown !== undefined && edge <= anchorOf(nextKnown));
    if (!met) added.push(gapAfter(edge));
    this.#show({
      order: insertInto(
        order.filter((item) => item !== gap),
        added,
      ),
    });
  }

  setHolding(holding: boolean): void {
    if (holding === this.#holding) return;
    this.#holding = holding;
    this.#remode();
  }

  setPaused(paused: boolean): void {
    if (paused === this.#paused) return;
    this.#paused = paused;
    this.#remode();
  }

  /** Adds the waiting rows, whatever the mode. Dropped ones leave a gap to be read from the server. */
  merge(): void {
    this.#release();
  }

  /** Applies what is queued. Called by the scheduler; tests call it directly. */
  flush = (): void => {
    this.#scheduled = false;
    const added: string[] = [];
    for (const event of this.#queue.values()) this.#apply(event, added);
    this.#queue.clear();
    const order = this.#leave(added.length > 0 ? insertInto(this.#view.order, added) : this.#view.order);
    this.#show({ order: this.#trim(order) });
    if (this.#leaving.size > 0 && this.#view.mode === "live") this.#soon();
  };

  #apply(event: RequestEvent, added: string[]): void {
    const { row, rev } = event;
    const matches = matchesLog(row, this.filter);
    const known = this.#rows.get(row.id);
    if (known) {
      if (rev > known.rev) this.#replace(known, row, rev, matches);
      return;
    }
    const waiting = this.#held.get(row.id);
    if (waiting && rev <= waiting.rev) return;
    // A correction of an unknown row is not a new row.
    if (!waiting && event.type === "request.corrected") return;
    if (!matches) {
      this.#held.delete(row.id);
      return;
    }
    if (row.id <= this.#floor) return;
    // A request that began and ended within one frame sends only its end; and a filter by a late-known field matches no beginning.
    if (!waiting && !this.#unseen.delete(row.id)) this.#count();
    // Under load only the sample is shown, and rows already known from a page.
    if (event.aside && !waiting && this.crowded()) {
      if (rev !== FINAL_REV && this.#unseen.size < SCROLLBACK_MAX) this.#unseen.add(row.id);
      return;
    }
    if (!waiting) this.#arrived.rows += 1;
    if (isErrorRow(row) && !(waiting && isErrorRow(waiting.row))) this.#arrived.errors += 1;
    const entry = { row, rev, leftAtMs: 0 };
    if (this.#view.mode !== "live") {
      this.#held.set(row.id, entry);
      return;
    }
    this.#rows.set(row.id, entry);
    added.push(row.id);
  }

  #count(): void {
    const now = this.#now();
    const second = Math.floor(now / 1_000);
    if (second !== this.#crowd.second) this.#crowd = { ...this.#crowd, second, rows: 0 };
    this.#crowd.rows += 1;
    if (this.#crowd.rows > CROWD_MAX) this.#crowd.untilMs = now + CROWDED_MS;
  }

  #replace(known: TailRow, row: RequestRow, rev: number, matches: boolean): void {
    const leftAtMs = matches ? 0 : known.leftAtMs || this.#now();
    if (matches) this.#leaving.delete(row.id);
    else this.#leaving.add(row.id);
    if (isErrorRow(row) && !isErrorRow(known.row)) this.#arrived.errors += 1;
    this.#rows.set(row.id, { row, rev, leftAtMs });
    this.#wake(row.id);
  }

  /** Adds a row from a page, which has no rev; a finished one is final. */
  #put(row: RequestRow, added: string[]): void {
    if (row.correctsId) return;
    const rev = revOfState(row.state);
    const known = this.#rows.get(row.id);
    if (known) {
      if (rev > known.rev) this.#replace(known, row, rev, matchesLog(row, this.filter));
      return;
    }
    this.#held.delete(row.id);
    this.#rows.set(row.id, { row, rev, leftAtMs: 0 });
    added.push(row.id);
  }

  /** Removes rows that stopped matching, but only while nothing the reader looks at can move. */
  #leave(order: readonly string[]): readonly string[] {
    if (this.#view.mode !== "live" || this.#leaving.size === 0) return order;
    const before = this.#now() - LEAVE_MS;
    const gone = new Set<string>();
    for (const id of this.#leaving) {
      const entry = this.#rows.get(id);
      if (entry && entry.leftAtMs > before) continue;
      gone.add(id);
      this.#leaving.delete(id);
      this.#rows.delete(id);
    }
    return gone.size > 0 ? order.filter((item) => !gone.has(item)) : order;
  }

  #trim(order: readonly string[]): readonly string[] {
    if (this.#view.mode !== "live" || order.length <= WINDOW_MAX) return order;
    const kept = order.slice(0, WINDOW_MAX);
    const last = kept.at(-1);
    for (const item of order.slice(WINDOW_MAX)) if (!isGap(item)) this.#rows.delete(item);
    if (last !== undefined) this.#floor = anchorOf(last);
    return kept;
  }

  /** The id before which to read older rows; '' at the end of the log. */
  get floor(): string {
    return this.#floor;
  }

  #remode(): void {
    const mode: TailMode = this.#paused ? "paused" : this.#holding ? "holding" : "live";
    if (mode === this.#view.mode) return;
    this.#show({ mode });
    if (mode === "live") this.#release();
  }

  #release(): void {
    const added = [...this.#held.keys()];
    const oldest = added.reduce((low, id) => (low === "" || id < low ? id : low), "");
    if (this.#view.heldOverflow && oldest !== "") added.push(gapAfter(oldest));
    for (const [id, entry] of this.#held) this.#rows.set(id, entry);
    this.#held.clear();
    this.#show({ order: insertInto(this.#view.order, added), heldOverflow: false });
    this.flush();
  }

  #show(change: Partial<TailView>): void {
    let overflow = change.heldOverflow ?? this.#view.heldOverflow;
    if (this.#held.size > HELD_MAX) {
      overflow = true;
      const ids = [...this.#held.keys()].sort();
      for (const id of ids.slice(0, ids.length - HELD_MAX)) this.#held.delete(id);
    }
    let errors = 0;
    for (const { row } of this.#held.values()) if (isErrorRow(row)) errors += 1;
    const next: TailView = { ...this.#view, ...change, held: this.#held.size, heldErrors: errors, heldOverflow: overflow };
    const now = this.#view;
    const same =
      next.order === now.order &&
      next.mode === now.mode &&
      next.held === now.held &&
      next.heldErrors === now.heldErrors &&
      next.heldOverflow === now.heldOverflow;
    if (same) return;
    this.#view = next;
    for (const listener of [...this.#viewListeners]) listener();
  }

  #wake(id: string): void {
    const listeners = this.#rowListeners.get(id);
    if (listeners) for (const listener of [...listeners]) listener();
  }

  #soon(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#options.schedule(this.flush);
  }

  #now(): number {
    return this.#options.now?.() ?? Date.now();
  }
}

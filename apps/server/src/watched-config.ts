import { readFile, stat, watch } from "node:fs/promises";
import type { ConfigFileState } from "@sluice/core/events";
import type { Log } from "@sluice/core/log";
import type { ConfigSummary } from "@sluice/services/config/apply-job";
import { ConfigFileError } from "@sluice/services/config/config-file-error";
import { publicErrorOf } from "@sluice/services/outage";
import { foldersTowards } from "./folders-towards.ts";

/** Editors save in several steps: the file is read this long after the last of them. */
const SETTLE_MS = 200;
/** Retry interval after failures that are not the file's fault: Postgres was down, or the file was missing for a moment. */
const AGAIN_MS = 5_000;
const MOST_PROBLEMS = 20;
const MOST_CHARACTERS = 300;

export interface WatchedConfigOptions {
  /** Absolute. */
  path: string;
  apply: (text: string) => Promise<ConfigSummary>;
  /** Called after each attempt. */
  onAttempt: (state: ConfigFileState) => void;
  log: Log;
}

/** The configuration file of this process: applied at boot, then whenever its content changes. */
export interface WatchedConfig {
  state(): ConfigFileState;
  /** Applies the file at boot. @throws ConfigFileError, and the error of reading the file. */
  apply(): Promise<void>;
  /** Applies changes from now on; a broken edit leaves the previous state in force. Returns at once. */
  watch(): void;
  close(): void;
}

/**
 * Watches folders, not the file: editors replace files, and Kubernetes replaces a link to a folder. Every event only triggers a check
 * whether the content differs, and whether the path leads through other folders by now.
 */
export function createWatchedConfig({ path, apply, onAttempt, log }: WatchedConfigOptions): WatchedConfig {
  const stopping = new AbortController();
  let state: ConfigFileState = {
    ...{ path, status: "pending", atMs: 0, appliedAtMs: null, problems: [] },
    ...{ created: 0, updated: 0, unchanged: 0, notes: [] },
  };
  /** The content that was last tried, successfully or not. */
  let tried: string | null = null;
  let timer: NodeJS.Timeout | null = null;
  let turn: Promise<void> = Promise.resolve();
  /** By device and inode, because another folder may have taken the name. */
  const watched = new Map<string, AbortController>();

  async function tryText(text: string): Promise<void> {
    tried = text;
    const { created, updated, unchanged, notes } = await apply(text);
    const nowMs = Date.now();
    state = {
      path,
      status: "applied",
      atMs: nowMs,
      appliedAtMs: nowMs,
      problems: [],
      created: created.length,
      updated: updated.length,
      unchanged,
      notes,
    };
    log.info({ created: created.length, updated: updated.length, unchanged, notes }, "the configuration file was applied");
    onAttempt(state);
  }

  function fail(thrown: unknown): void {
    const problems = thrown instanceof ConfigFileError ? thrown.problems : [reasonOf(thrown)];
    const shown = problems.slice(0, MOST_PROBLEMS).map((line) => line.slice(0, MOST_CHARACTERS));
    state = { ...state, status: "failed", atMs: Date.now(), problems: shown };
    log.error({ path, problems: shown }, "the configuration file could not be applied; the previous configuration stays in force");
    onAttempt(state);
    if (thrown instanceof ConfigFileError) return;
    tried = null;
    look(AGAIN_MS);
  }

  async function lookNow(): Promise<void> {
    if (stopping.signal.aborted) return;
    try {
      const text = await readFile(path, "utf8");
      if (text !== tried) await tryText(text);
    } catch (thrown) {
      if (!stopping.signal.aborted) fail(thrown);
    }
    await watchFolders();
  }

  async function watchFolders(): Promise<void> {
    const present = new Set<string>();
    let isNew = false;
    for (const folder of await foldersTowards(path)) {
      const facts = await stat(folder).catch(() => null);
      if (facts === null || stopping.signal.aborted) continue;
      const key = `${facts.dev}:${facts.ino}`;
      present.add(key);
      if (watched.has(key)) continue;
      isNew = true;
      const ending = new AbortController();
      watched.set(key, ending);
      void follow(folder, AbortSignal.any([stopping.signal, ending.signal]));
    }
    for (const [key, ending] of watched) {
      if (present.has(key)) continue;
      watched.delete(key);
      ending.abort();
    }
    // Picks up changes made before the watch began.
    if (isNew) look(SETTLE_MS);
  }

  /** Schedules one check, `delayMs` after the last call; checks do not overlap. */
  function look(delayMs: number): void {
    if (timer) clearTimeout(timer);
    timer = setTimeout(() => {
      timer = null;
      turn = turn.then(lookNow);
    }, delayMs);
    timer.unref();
  }

  async function follow(folder: string, signal: AbortSignal): Promise<void> {
    try {
      for await (const _ of watch(folder, { signal })) look(SETTLE_MS);
    } catch (thrown) {
      if (signal.aborted) return;
      log.warn({ folder, error: String(thrown) }, "the folder of the configuration file cannot be watched: edits need a restart");
    }
  }

  return {
    state: () => state,
    async apply() {
      await tryText(await readFile(path, "utf8"));
    },
    watch() {
      turn = turn.then(watchFolders);
    },
    close() {
      stopping.abort();
      if (timer) clearTimeout(timer);
    },
  };
}

function reasonOf(thrown: unknown): string {
  const code = typeof thrown === "object" && thrown !== null && "code" in thrown ? String(thrown.code) : "";
  if (code === "ENOENT") return "the file is gone";
  if (code === "EACCES" || code === "EPERM") return "the file cannot be read: permission denied";
  if (code === "EISDIR") return "the path is a directory";
  return publicErrorOf(thrown).message;
}

import { basename, dirname } from "node:path";
import type { Random } from "@sluice/testing/seeded-random";

/**
 * A disk whose operations overtake each other as those of a thread pool do, and which loses its power: then only what was
 * synced is certain, and any of the rest may have arrived, in any order, sector by sector and name by name. It stands in for
 * `node:fs/promises`; each disk is one directory.
 */
export interface DiskState {
  files: Map<string, Buffer>;
}

interface Inode {
  /** What the kernel has. */
  bytes: Buffer;
  /** What the disk has for certain, and the changes since. */
  durable: Buffer;
  changes: Change[];
}

/** Bytes at a place, or null: the file is cut or extended to this length. */
interface Change {
  at: number;
  bytes: Buffer | null;
}

const SECTOR_BYTES = 256;
const disks = new Map<string, SimulatedDisk>();

export class SimulatedDisk {
  readonly directory: string;
  /** Returns the code of the error with which an operation fails, if it does. */
  fault: (operation: string, name: string) => string | null = () => null;
  openHandles = 0;
  readonly #random: Random;
  readonly #entries = new Map<string, Inode>();
  #durableEntries: Map<string, Inode>;
  /** The directory after each change since it was synced. */
  #history: Map<string, Inode>[] = [];
  #isDead = false;

  constructor(directory: string, state: DiskState, random: Random) {
    this.directory = directory;
    this.#random = random;
    for (const [name, bytes] of state.files) this.#entries.set(name, { bytes, durable: bytes, changes: [] });
    this.#durableEntries = new Map(this.#entries);
    disks.set(directory, this);
  }

  /** Ends this disk: no operation under way completes. Returns what the next start finds. */
  crash(how: "kill" | "power loss"): DiskState {
    this.#isDead = true;
    if (how === "kill") return { files: new Map([...this.#entries].map(([name, { bytes }]) => [name, Buffer.from(bytes)])) };
    return { files: new Map([...this.#entriesThatArrived()].map(([name, inode]) => [name, this.#bytesThatArrived(inode)])) };
  }

  /** The names, of the state on the disk or a later one; each file has one of those it had meanwhile, or is gone if it was. */
  #entriesThatArrived(): Map<string, Inode> {
    const states = [this.#durableEntries, ...this.#history];
    const one = () => states[Math.floor(this.#random() * states.length)] as Map<string, Inode>;
    if (this.#random() < 0.5) return one();
    const arrived = new Map<string, Inode>();
    for (const inode of new Set(states.flatMap((state) => [...state.values()]))) {
      for (const [name, named] of one()) if (named === inode) arrived.set(name, inode);
    }
    // A name that was there all the time is there, whichever file has it.
    for (const [name, inode] of this.#durableEntries) {
      if (!arrived.has(name) && states.every((state) => state.has(name))) arrived.set(name, inode);
    }
    return arrived;
  }

  #bytesThatArrived(inode: Inode): Buffer {
    const share = this.#random();
    let bytes: Buffer = Buffer.from(inode.durable);
    for (const { at, bytes: written } of inode.changes) {
      if (written === null) {
        if (this.#random() < share) bytes = resized(bytes, at);
        continue;
      }
      for (let from = at; from < at + written.length; ) {
        const to = Math.min(at + written.length, (Math.floor(from / SECTOR_BYTES) + 1) * SECTOR_BYTES);
        if (this.#random() < share) bytes = overwritten(bytes, written.subarray(from - at, to - at), from);
        from = to;
      }
    }
    return bytes;
  }

  /** Runs an operation after a few turns of the event loop, in which others may overtake it. */
  async run<T>(operation: string, name: string, work: () => T): Promise<T> {
    await this.pause();
    const code = this.fault(operation, name);
    if (code !== null) throw failure(code);
    return work();
  }

  async pause(): Promise<void> {
    for (let turns = Math.floor(this.#random() * 6); turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve));
    if (this.#isDead) await new Promise(() => undefined);
  }

  names(): string[] {
    return [...this.#entries.keys()];
  }

  find(name: string): Inode {
    const inode = this.#entries.get(name);
    if (!inode) throw failure("ENOENT");
    return inode;
  }

  create(name: string): Inode {
    const inode = { bytes: Buffer.alloc(0), durable: Buffer.alloc(0), changes: [] };
    this.change(() => this.#entries.set(name, inode));
    return inode;
  }

  rename(from: string, to: string): void {
    const inode = this.find(from);
    this.change(() => this.#entries.delete(from) && this.#entries.set(to, inode));
  }

  unlink(name: string): void {
    this.find(name);
    this.change(() => this.#entries.delete(name));
  }

  change(work: () => void): void {
    work();
    this.#history.push(new Map(this.#entries));
  }

  /** As of now, once the returned function is called. */
  syncEntries(): () => void {
    const entries = new Map(this.#entries);
    const count = this.#history.length;
    return () => {
      this.#durableEntries = entries;
      this.#history = this.#history.slice(count);
    };
  }
}

class SimulatedHandle {
  readonly #disk: SimulatedDisk;
  readonly #name: string;
  /** Null: the directory. */
  readonly #inode: Inode | null;
  #isClosed = false;
  #running: Promise<unknown> = Promise.resolve();

  constructor(disk: SimulatedDisk, name: string, inode: Inode | null) {
    this.#disk = disk;
    this.#name = name;
    this.#inode = inode;
    disk.openHandles++;
  }

  write(buffer: Buffer, offset: number, length: number, at: number): Promise<{ bytesWritten: number }> {
    const bytes = Buffer.from(buffer.subarray(offset, offset + length));
    return this.#run(async () => {
      // A kill, or a full disk, may end a write in its middle.
      const half = Math.floor(length / 2);
      this.#change({ at, bytes: bytes.subarray(0, half) });
      await this.#disk.run("write", this.#name, () => this.#change({ at: at + half, bytes: bytes.subarray(half) }));
      return { bytesWritten: length };
    });
  }

  writeFile(text: string): Promise<void> {
    return this.#run(() => this.#disk.run("write", this.#name, () => this.#change({ at: 0, bytes: Buffer.from(text) })));
  }

  read(buffer: Buffer, offset: number, length: number, at: number): Promise<{ bytesRead: number }> {
    return this.#run(() =>
      this.#disk.run("read", this.#name, () => ({ bytesRead: this.#file().bytes.copy(buffer, offset, at, at + length) })),
    );
  }

  truncate(length: number): Promise<void> {
    return this.#run(() => this.#disk.run("truncate", this.#name, () => this.#change({ at: length, bytes: null })));
  }

  sync(): Promise<void> {
    return this.datasync();
  }

  datasync(): Promise<void> {
    return this.#run(() => {
      const inode = this.#inode;
      if (!inode) return this.#disk.run("sync", this.#name, this.#disk.syncEntries());
      const covered = inode.changes.length;
      return this.#disk.run("sync", this.#name, () => {
        for (const change of inode.changes.splice(0, covered)) inode.durable = changed(inode.durable, change);
      });
    });
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#disk.openHandles--;
    await this.#running.catch(() => undefined);
  }

  #run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isClosed) return Promise.reject(failure("EBADF"));
    const run = work();
    this.#running = Promise.allSettled([this.#running, run]);
    return run;
  }

  #file(): Inode {
    if (!this.#inode) throw failure("EISDIR");
    return this.#inode;
  }

  #change(change: Change): void {
    const inode = this.#file();
    inode.bytes = changed(inode.bytes, change);
    inode.changes.push(change);
  }
}

/** The part of `node:fs/promises` that the spool uses. */
export const fileSystem = {
  async mkdir(): Promise<void> {},
  async open(path: string, flags: string) {
    const [disk, name] = placeOf(path);
    return disk.run("open", name, () => {
      if (name === "") return new SimulatedHandle(disk, name, null);
      const exists = disk.names().includes(name);
      if (flags === "wx" && exists) throw failure("EEXIST");
      const inode = flags === "wx" || (flags === "w" && !exists) ? disk.create(name) : disk.find(name);
      if (flags === "w") {
        inode.bytes = Buffer.alloc(0);
        inode.changes.push({ at: 0, bytes: null });
      }
      return new SimulatedHandle(disk, name, inode);
    });
  },
  async readdir(path: string) {
    const [disk] = placeOf(path);
    return disk.run("readdir", "", () => disk.names());
  },
  async readFile(path: string, encoding?: "utf8") {
    const [disk, name] = placeOf(path);
    const bytes = await disk.run("read", name, () => Buffer.from(disk.find(name).bytes));
    return encoding ? bytes.toString(encoding) : bytes;
  },
  async truncate(path: string, length: number) {
    const handle = await fileSystem.open(path, "r+");
    await handle.truncate(length);
    await handle.close();
  },
  async rename(from: string, to: string) {
    const [disk, name] = placeOf(from);
    await disk.run("rename", name, () => disk.rename(name, basename(to)));
  },
  async unlink(path: string) {
    const [disk, name] = placeOf(path);
    await disk.run("unlink", name, () => disk.unlink(name));
  },
  async rm(path: string) {
    const [disk, name] = placeOf(path);
    for (const each of name === "" ? disk.names() : [name]) {
      await disk.run("unlink", each, () => disk.names().includes(each) && disk.unlink(each));
    }
  },
  async statfs() {
    return { bavail: 1e9, bsize: 4_096 };
  },
};

function placeOf(path: string): [SimulatedDisk, string] {
  const whole = disks.get(path);
  if (whole) return [whole, ""];
  const disk = disks.get(dirname(path));
  if (!disk) throw failure("ENOENT");
  return [disk, basename(path)];
}

function changed(bytes: Buffer, { at, bytes: written }: Change): Buffer {
  return written === null ? resized(bytes, at) : overwritten(bytes, written, at);
}

function overwritten(bytes: Buffer, written: Buffer, at: number): Buffer {
  const next = resized(bytes, Math.max(bytes.length, at + written.length));
  written.copy(next, at);
  return next;
}

function resized(bytes: Buffer, length: number): Buffer {
  const next = Buffer.alloc(length);
  bytes.copy(next);
  return next;
}

function failure(code: string): Error {
  return Object.assign(new Error(code), { code });
}

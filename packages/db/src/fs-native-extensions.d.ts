/** The part of fs-native-extensions used here; the package ships no types. */
declare module "fs-native-extensions" {
  /** OFD lock (flock on macOS) on an open file; false when another open file holds a conflicting one. */
  export function tryLock(fd: number, options?: { shared?: boolean }): boolean;
  export function unlock(fd: number): void;
}

/** Where to look for programs. All other parts of the environment are passed to this package as arguments. */
export function searchPath(): string {
  return process.env.PATH ?? "/usr/local/bin:/usr/bin:/bin";
}

/** Where programs are looked for; everything else of the environment reaches this package as arguments. */
export function searchPath(): string {
  return process.env.PATH ?? "/usr/local/bin:/usr/bin:/bin";
}

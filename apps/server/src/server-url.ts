/** URL at which this machine reaches the console of the server that the environment describes. */
export function serverUrl({ host, port, consolePort }: { host: string; port: number; consolePort: number | null }): string {
  return localUrl(host, consolePort ?? port);
}

/** URL at which this machine reaches a server that listens on the host; "all addresses" become the loopback address. */
export function localUrl(host: string, port: number): string {
  // A zone (`fe80::1%eth0`) has no place in a URL.
  const address = host.replace(/%.*$/, "");
  if (address === "0.0.0.0" || address === "::") return `http://127.0.0.1:${port}`;
  return `http://${address.includes(":") ? `[${address}]` : address}:${port}`;
}

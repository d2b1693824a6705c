/** URL at which this machine reaches a server that listens on the host: an address of all interfaces is none to call. */
export function localUrl(host: string, port: number): string {
  // A zone (`fe80::1%eth0`) has no place in a URL.
  const address = host.replace(/%.*$/, "");
  const reachable = address === "0.0.0.0" || address === "::" ? "127.0.0.1" : address.includes(":") ? `[${address}]` : address;
  return `http://${reachable}:${port}`;
}

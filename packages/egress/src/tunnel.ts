import type { Socket } from "node:net";
import { buildConnector } from "undici";
import { addressBytes, literalOf } from "./address.ts";
import { guardedConnector, type Resolve, vetted } from "./connector.ts";
import { type ProxyTarget, type Target, unreachable } from "./guard.ts";
import { Handshake } from "./handshake.ts";

/**
 * Connects to one target through a proxy. The guard covers both legs: the proxy is connected to like any target, and it is given
 * an address that was looked up and checked here, never a name that it might resolve differently.
 */
export function tunnelConnector(resolve: Resolve, target: Target, proxy: ProxyTarget, timeoutMs: number): buildConnector.connector {
  const toProxy = guardedConnector(resolve, { ...proxy, origin: "", path: "" }, timeoutMs);
  const upgrade = buildConnector({ timeout: timeoutMs, allowH2: false } as buildConnector.BuildOptions);
  return (options, callback) => {
    const port = Number(options.port || (options.protocol === "https:" ? 443 : 80));
    toProxy({ protocol: "http:", hostname: proxy.host, host: proxy.host, port: proxy.port }, (error, socket) => {
      if (error || !socket) {
        callback(error ?? unreachable("the proxy gave no connection"), null);
        return;
      }
      openTunnel(socket, { resolve, target, proxy, port, timeoutMs }).then(
        () => {
          if (options.protocol === "https:") upgrade({ ...options, hostname: target.host, httpSocket: socket }, callback);
          else callback(null, socket);
        },
        (reason: Error) => {
          socket.destroy();
          callback(reason, null);
        },
      );
    });
  };
}

interface Tunnel {
  resolve: Resolve;
  target: Target;
  proxy: ProxyTarget;
  port: number;
  timeoutMs: number;
}

async function openTunnel(socket: Socket, { resolve, target, proxy, port, timeoutMs }: Tunnel): Promise<void> {
  const address = literalOf(target.host) ?? (await firstAddress(resolve, target));
  const handshake = new Handshake(socket, timeoutMs);
  try {
    await (proxy.kind === "socks5" ? askSocks(handshake, proxy, address, port) : askConnect(handshake, proxy, address, port));
  } finally {
    handshake.release();
  }
}

/** IPv4 before IPv6: which of them the proxy can reach is unknown, and most reach IPv4. */
async function firstAddress(resolve: Resolve, target: Target): Promise<string> {
  const addresses = await vetted(resolve, target);
  const first = addresses.find(({ family }) => family === 4) ?? addresses[0];
  if (!first) throw unreachable(`no address for ${target.host}`);
  return first.address;
}

const longestHead = 16 * 1024;

/** CONNECT (RFC 9110, section 9.3.6). */
async function askConnect(handshake: Handshake, { login }: ProxyTarget, address: string, port: number): Promise<void> {
  const authority = address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
  const credentials = login && `Proxy-Authorization: Basic ${Buffer.from(`${login.user}:${login.password}`).toString("base64")}\r\n`;
  handshake.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${credentials ?? ""}\r\n`);
  const head = await handshake.take((bytes) => {
    if (bytes.length > longestHead) throw unreachable("the proxy's answer is too long");
    const end = bytes.indexOf("\r\n\r\n");
    return end < 0 ? 0 : end + 4;
  });
  const status = /^HTTP\/1\.[01] (\d{3})\b/.exec(head.toString("latin1"))?.[1] ?? "";
  if (!status.startsWith("2"))
    throw unreachable(status === "407" ? "the proxy refuses the login" : `the proxy answers ${status || "no HTTP"}`);
}

/** Kinds of addresses; the third is a name, preceded by its length. */
const IPV4 = 1;
const IPV6 = 4;
const socksReplies = ["", "failure", "not allowed", "network unreachable", "host unreachable", "connection refused", "TTL expired"];

/** SOCKS5 (RFC 1928), with username and password as in RFC 1929. */
async function askSocks(handshake: Handshake, { login }: ProxyTarget, address: string, port: number): Promise<void> {
  handshake.write(Buffer.from(login ? [5, 2, 0, 2] : [5, 1, 0]));
  const [version, method] = await handshake.take(() => 2);
  if (version !== 5) throw unreachable("the proxy does not speak SOCKS5");
  if (method === 2 && login) {
    const [user, password] = [Buffer.from(login.user), Buffer.from(login.password)];
    handshake.write(Buffer.concat([Buffer.from([1, user.length]), user, Buffer.from([password.length]), password]));
    const [, status] = await handshake.take(() => 2);
    if (status !== 0) throw unreachable("the proxy refuses the login");
  } else if (method !== 0) throw unreachable("the proxy wants another way to sign in");
  handshake.write(Buffer.concat([Buffer.from([5, 1, 0]), socksAddress(address), Buffer.from([port >> 8, port & 255])]));
  const reply = (await handshake.take((bytes) => (bytes.length < 5 ? 0 : lengthOfReply(bytes))))[1] ?? 1;
  if (reply !== 0) throw unreachable(`the proxy says ${socksReplies[reply] ?? reply}`);
}

/** RFC 1928, section 6: four bytes, an address of its kind, and a port of two bytes. */
function lengthOfReply(bytes: Buffer): number {
  const [, , , kind, nameLength = 0] = bytes;
  if (kind === IPV4) return 4 + 4 + 2;
  if (kind === IPV6) return 4 + 16 + 2;
  return 4 + 1 + nameLength + 2;
}

function socksAddress(address: string): Buffer {
  const bytes = addressBytes(address);
  return Buffer.from([bytes.length === 4 ? IPV4 : IPV6, ...bytes]);
}

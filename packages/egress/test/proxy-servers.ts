import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A proxy for tests: whatever address is requested, it connects to one local port. */
export interface TestProxy {
  /** Includes the required login. */
  url: string;
  /** The requested addresses, as `address:port`. */
  asked: string[];
  /** Number of open connections. */
  open(): number;
  close(): Promise<void>;
}

const login = "user:pass word";

async function start(kind: "http" | "socks5", targetPort: number, serve: (socket: Socket, proxy: Served) => void): Promise<TestProxy> {
  const sockets = new Set<Socket>();
  const asked: string[] = [];
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket)).on("error", () => undefined);
    const forward = (first: Buffer): void => {
      const target = connect(targetPort, "127.0.0.1");
      target.on("error", () => socket.destroy());
      target.write(first);
      socket.pipe(target).pipe(socket);
    };
    serve(socket, { asked, forward });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `${kind}://${encodeURIComponent("user")}:${encodeURIComponent("pass word")}@127.0.0.1:${port}`,
    asked,
    open: () => sockets.size,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

interface Served {
  asked: string[];
  forward(first: Buffer): void;
}

/** CONNECT with Basic authentication; anything else gets 405, a wrong login 407. */
export function startHttpProxy(targetPort: number): Promise<TestProxy> {
  return start("http", targetPort, (socket, { asked, forward }) => {
    socket.once("data", (head) => {
      const text = head.toString("latin1");
      const [, authority = ""] = /^CONNECT (\S+) HTTP\/1\.1\r\n/.exec(text) ?? [];
      if (authority === "") return socket.end("HTTP/1.1 405 Method Not Allowed\r\n\r\n");
      asked.push(authority);
      if (!text.includes(`Proxy-Authorization: Basic ${Buffer.from(login).toString("base64")}\r\n`)) {
        return socket.end("HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n");
      }
      socket.write("HTTP/1.1 200 Connection established\r\nx-proxy: yes\r\n\r\n");
      forward(Buffer.alloc(0));
    });
  });
}

/** SOCKS5 with a login, IPv4 and IPv6 addresses; host names are refused. */
export function startSocksProxy(targetPort: number): Promise<TestProxy> {
  return start("socks5", targetPort, (socket, { asked, forward }) => {
    const steps = [
      () => socket.write(Buffer.from([5, 2])),
      (bytes: Buffer) => {
        const user = bytes.subarray(2, 2 + (bytes[1] ?? 0)).toString();
        const password = bytes.subarray(3 + user.length).toString();
        const isRight = `${user}:${password}` === login;
        socket.write(Buffer.from([1, isRight ? 0 : 1]));
      },
      (bytes: Buffer) => {
        if (bytes[3] === 3) return socket.end(Buffer.from([5, 8, 0, 1, 0, 0, 0, 0, 0, 0]));
        const length = bytes[3] === 1 ? 4 : 16;
        asked.push(`${bytes.subarray(4, 4 + length).join(".")}:${bytes.readUInt16BE(4 + length)}`);
        // In two parts, as a network may deliver it.
        socket.write(Buffer.from([5, 0, 0]));
        setImmediate(() => {
          socket.write(Buffer.from([1, 0, 0, 0, 0, 0, 0]));
          forward(Buffer.alloc(0));
        });
      },
    ];
    socket.on("data", function step(bytes: Buffer) {
      const next = steps.shift();
      if (steps.length === 0) socket.off("data", step);
      next?.(bytes);
    });
  });
}

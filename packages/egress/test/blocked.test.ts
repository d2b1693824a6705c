import { systemClock } from "@sluice/core/clock";
import { SluiceError } from "@sluice/core/errors";
import { silentLog } from "@sluice/core/log";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createEgress } from "../src/egress.ts";
import type { AddressSource } from "../src/resolver.ts";
import { ask, codeOf, listen, textOf } from "./servers.ts";

// Spellings from public bypass lists (PayloadsAllTheThings SSRF, peers' advisories): all of them mean this machine,
// its network, or a metadata service.
const hosts = [
  "127.0.0.1",
  "127.1",
  "127.0.1",
  "127.127.127.127",
  "0",
  "0.0.0.0",
  "2130706433",
  "0x7f000001",
  "0x7f.1",
  "0x7f.0x0.0x0.0x1",
  "017700000001",
  "0177.0.0.1",
  "0177.0.0.01",
  "%31%32%37.0.0.1",
  "①②⑦.⓪.⓪.①",
  "127。0。0。1",
  "127.0.0.1.",
  "localhost",
  "LOCALHOST",
  "localhost.",
  "localhost..",
  "a.localhost",
  "printer.local",
  "metadata.google.internal",
  "[::]",
  "[::1]",
  "[0:0:0:0:0:0:0:1]",
  "[::127.0.0.1]",
  "[::ffff:127.0.0.1]",
  "[::ffff:7f00:1]",
  "[0:0:0:0:0:ffff:127.0.0.1]",
  "[64:ff9b::7f00:1]",
  "[64:ff9b:1::7f00:1]",
  "[2002:7f00:1::]",
  "[2001:0:7f00:1::]",
  "[fe80::1]",
  "[fec0::1]",
  "[fc00::1]",
  "[fd00:ec2::254]",
  "[ff02::1]",
  "[2001:db8::1]",
  "[100::1]",
  "10.0.0.1",
  "172.16.0.1",
  "172.31.255.255",
  "192.168.0.1",
  "169.254.169.254",
  "2852039166",
  "0xA9FEA9FE",
  "0251.0376.0251.0376",
  "[::ffff:169.254.169.254]",
  "100.64.0.1",
  "100.100.100.200",
  "192.0.0.192",
  "192.0.2.1",
  "198.18.0.1",
  "198.51.100.1",
  "203.0.113.1",
  "224.0.0.1",
  "240.0.0.1",
  "255.255.255.255",
];

let local: Awaited<ReturnType<typeof listen>>;
let reached = 0;

beforeAll(async () => {
  local = await listen((_request, response) => {
    reached += 1;
    response.end("secret");
  });
});
afterAll(() => local.close());

function egressWith(addresses: AddressSource, allowPrivateHosts: string[] = []) {
  return createEgress({ allowPrivateHosts, log: silentLog, clock: systemClock, addresses });
}

const nowhere: AddressSource = async () => {
  throw new Error("no such name");
};

describe("an address that is not public", () => {
  it.each(hosts)("is refused when spelled %s", async (host) => {
    const egress = egressWith(nowhere);
    expect(await codeOf(egress.request(ask(`http://${host}:${local.port}/`)))).toBe("upstream_blocked");
    expect(() => egress.checkUrl(`http://${host}/`)).toThrow(expect.objectContaining({ code: "invalid_request" }));
    await egress.close();
    expect(reached).toBe(0);
  });

  it.each([
    "file:///etc/passwd",
    "gopher://x/",
    "unix:/run/x",
    "ftp://example.com/",
    "ws://example.com",
    "not a url",
    "http://user:pw@example.com/",
    "http://example.com@127.0.0.1/",
    "http://127.0.0.1#@example.com/",
  ])("is refused as %s", async (url) => {
    const egress = egressWith(nowhere);
    expect(await codeOf(egress.request(ask(url)))).toBe("upstream_blocked");
    await egress.close();
  });

  it("is refused when a public name resolves to it, also beside a public address", async () => {
    for (const addresses of [["127.0.0.1"], ["93.184.215.14", "10.0.0.7"], ["::ffff:127.0.0.1"]]) {
      const egress = egressWith(async () => addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4, ttlS: 60 })));
      expect(await codeOf(egress.request(ask(`http://rebind.example:${local.port}/`)))).toBe("upstream_blocked");
      const bare = { host: "rebind.example", port: local.port, timeoutMs: 1_000 };
      expect(await codeOf(egress.connect(bare))).toBe("upstream_blocked");
      await egress.close();
    }
    expect(reached).toBe(0);
  });

  it("is refused when the name turns to it after the first answer (rebinding)", async () => {
    const asked: string[] = [];
    let ms = 0;
    const egress = createEgress({
      allowPrivateHosts: [],
      log: silentLog,
      // A clock that leaps makes every record stale at once.
      clock: {
        now: () => 0,
        monotonic: () => {
          ms += 1e9;
          return ms;
        },
      },
      addresses: async (host) => {
        asked.push(host);
        return [{ address: asked.length === 1 ? "192.0.2.1" : "127.0.0.1", family: 4, ttlS: 0 }];
      },
    });
    for (let i = 0; i < 2; i += 1)
      expect(await codeOf(egress.request(ask(`http://rebind.example:${local.port}/`)))).toBe("upstream_blocked");
    expect(asked.length).toBe(2);
    await egress.close();
  });

  it("is reported like a closed port", async () => {
    const closed = await listen(() => undefined);
    await closed.close();
    const open = egressWith(nowhere, ["127.0.0.1"]);
    const shut = egressWith(nowhere);
    const text = async (promise: Promise<unknown>) =>
      promise.then(
        () => "",
        (error: SluiceError) => error.message,
      );
    expect(await text(open.request(ask(closed.url)))).toBe(await text(shut.request(ask(closed.url))));
    expect(await text(shut.request(ask("http://unknown.example/")))).toBe(await text(shut.request(ask(closed.url))));
    await open.close();
    await shut.close();
  });
});

describe("an address that an admin allowed", () => {
  it.each(["127.0.0.1", "127.0.0.1:PORT", " 127.0.0.1 "])("is reached by the entry %s", async (entry) => {
    const egress = egressWith(nowhere, [entry.replace("PORT", String(local.port))]);
    const before = reached;
    const answer = await egress.request(ask(`${local.url}/`));
    expect(await textOf(answer.body)).toBe("secret");
    expect(reached).toBe(before + 1);
    await egress.close();
  });

  it("is not reached on another port, nor under another name", async () => {
    const egress = egressWith(
      async () => [{ address: "127.0.0.1", family: 4, ttlS: 1 }],
      [`127.0.0.1:${local.port + 1}`, "[::1]:80", "http://x/y"],
    );
    expect(await codeOf(egress.request(ask(local.url)))).toBe("upstream_blocked");
    expect(await codeOf(egress.request(ask(`http://other.example:${local.port}`)))).toBe("upstream_blocked");
    await egress.close();
  });

  it("may be localhost, which needs no DNS", async () => {
    const egress = createEgress({ allowPrivateHosts: ["localhost"], log: silentLog, clock: systemClock });
    const answer = await egress.request(ask(`http://localhost:${local.port}/`));
    expect(await textOf(answer.body)).toBe("secret");
    egress.checkUrl("http://localhost:1/");
    await egress.close();
  });

  it("does not lead anywhere by a redirect", async () => {
    const redirecting = await listen((_request, response) => response.writeHead(302, { location: "http://169.254.169.254/" }).end());
    const egress = egressWith(nowhere, ["127.0.0.1"]);
    const answer = await egress.request(ask(redirecting.url));
    expect(answer.status).toBe(302);
    answer.body.resume();
    await egress.close();
    await redirecting.close();
  });
});

it("a public URL passes the check of forms", () => {
  const egress = egressWith(nowhere);
  for (const url of ["https://api.openai.com/v1", "http://93.184.215.14:8080/x", "https://[2606:4700::1111]/"]) egress.checkUrl(url);
  expect(() => egress.checkUrl("http://127.0.0.1")).toThrow(SluiceError);
});

import { clientIp } from "@sluice/api/client-ip";
import { checkBodyHeaders, checkHead, checkOrigin, decodeBody } from "@sluice/api/request-guard";
import { describe, expect, it } from "vitest";

const home = "https://sluice.example";

describe("the origin of a request", () => {
  it.each([
    ["our own page", { origin: "https://sluice.example", host: "inner:4000" }, true],
    ["our own page by its host", { origin: "http://10.0.0.5:4000", host: "10.0.0.5:4000" }, true],
    ["a modern browser's same-origin mark", { "sec-fetch-site": "same-origin" }, true],
  ])("%s may change state", (_, headers, changes) => {
    expect(() => checkOrigin(headers, home, { changesState: changes })).not.toThrow();
  });

  it.each([
    ["another site", { origin: "https://evil.example", host: "sluice.example" }],
    ["a sandboxed frame", { origin: "null", host: "sluice.example" }],
    ["a sibling domain", { "sec-fetch-site": "same-site", origin: "https://sluice.example" }],
    ["a cross-site mark", { "sec-fetch-site": "cross-site" }],
    ["a link from outside", { "sec-fetch-site": "none" }],
    ["a look-alike host", { origin: "https://sluice.example.evil.example", host: "sluice.example" }],
    ["nobody in particular", {}],
  ])("%s may not", (_, headers) => {
    expect(() => checkOrigin(headers, home, { changesState: true })).toThrow(expect.objectContaining({ code: "bad_origin" }));
  });

  it("lets reads without marks through, not those of other sites", () => {
    expect(() => checkOrigin({}, home, { changesState: false })).not.toThrow();
    expect(() => checkOrigin({ "sec-fetch-site": "none" }, home, { changesState: false })).not.toThrow();
    expect(() => checkOrigin({ origin: "https://evil.example" }, home, { changesState: false })).toThrow();
    expect(() => checkOrigin({ "sec-fetch-site": "cross-site" }, home, { changesState: false })).toThrow();
  });
});

describe("the head of a request", () => {
  const head = (rawHeaders: string[], url = "/") => ({ rawHeaders, url, headers: { host: rawHeaders[1] } });

  it("is let through when it is plain", () => {
    expect(() => checkHead(head(["Host", "127.0.0.1:4000"]))).not.toThrow();
    expect(() => checkHead(head(["Host", "[::1]:4000"]))).not.toThrow();
  });

  it.each([
    ["two hosts", head(["Host", "a", "host", "b"]), "invalid_host"],
    ["no host", { rawHeaders: [], url: "/", headers: {} }, "invalid_host"],
    ["a host with a path", head(["Host", "a/#"]), "invalid_host"],
    ["a host with a user", head(["Host", "a@b"]), "invalid_host"],
    ["an absolute target", head(["Host", "a"], "http://evil/x"), "invalid_target"],
    ["a protocol-relative target", head(["Host", "a"], "//evil/x"), "invalid_target"],
    ["101 headers", head(["Host", "a", ...Array.from({ length: 100 }, () => ["x", "y"]).flat()]), "too_many_headers"],
  ])("is refused with %s", (_, request, code) => {
    expect(() => checkHead(request)).toThrow(expect.objectContaining({ code }));
  });
});

describe("a body", () => {
  it.each(["application/json", "application/json; charset=utf-8", 'Application/JSON;charset="UTF-8"'])("may be %s", (type) => {
    expect(() => checkBodyHeaders({ "content-type": type })).not.toThrow();
  });

  it.each(["text/plain", "application/json; charset=utf-16", "application/json garbage", "multipart/form-data", ""])(
    "may not be '%s'",
    (type) => {
      expect(() => checkBodyHeaders({ "content-type": type })).toThrow(expect.objectContaining({ code: "unsupported_media_type" }));
    },
  );

  it("may not be compressed", () => {
    expect(() => checkBodyHeaders({ "content-type": "application/json", "content-encoding": "br" })).toThrow(
      expect.objectContaining({ code: "unsupported_encoding" }),
    );
  });

  it("must be UTF-8", () => {
    expect(decodeBody(Buffer.from('{"a":"é"}'))).toBe('{"a":"é"}');
    expect(() => decodeBody(Buffer.from([0x22, 0xff, 0x22]))).toThrow(expect.objectContaining({ code: "invalid_json" }));
  });
});

describe("the client's address", () => {
  const from = (peer: string, forwarded?: string) =>
    ({ socket: { remoteAddress: peer }, headers: { "x-forwarded-for": forwarded } }) as unknown as Parameters<typeof clientIp>[0];

  it.each([
    ["nobody is trusted", from("9.9.9.9", "1.1.1.1"), 0, "9.9.9.9"],
    ["one proxy appended it", from("10.0.0.1", "6.6.6.6, 1.1.1.1"), 1, "1.1.1.1"],
    ["two proxies appended", from("10.0.0.1", "6.6.6.6, 1.1.1.1, 10.0.0.2"), 2, "1.1.1.1"],
    ["the proxies were avoided", from("7.7.7.7", undefined), 1, "7.7.7.7"],
    ["the entry is no address", from("10.0.0.1", "evil"), 1, "10.0.0.1"],
    ["a port is appended", from("10.0.0.1", "1.1.1.1:5555"), 1, "1.1.1.1"],
    ["IPv6 in brackets", from("10.0.0.1", "[2001:db8::1]:443"), 1, "2001:db8::1"],
    ["IPv4 is written as IPv6", from("::ffff:1.2.3.4"), 0, "1.2.3.4"],
  ])("when %s", (_, request, hops, ip) => {
    expect(clientIp(request, hops)).toBe(ip);
  });
});

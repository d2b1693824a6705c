/** The bytes of one request. */
export function requestBytes(port: number, key: string, body: string): Buffer {
  return Buffer.from(
    `POST /v1/messages HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: application/json\r\nanthropic-version: 2023-06-01\r\nx-api-key: ${key}\r\nuser-agent: bench/1\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

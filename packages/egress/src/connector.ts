import type { LookupFunction } from "node:net";
import type { SluiceError } from "@sluice/core/errors";
import { buildConnector } from "undici";
import { isPublicAddress } from "./address.ts";
import { blocked, type Target } from "./guard.ts";
import type { ResolvedAddress } from "./resolver.ts";

export type Resolve = (host: string) => Promise<readonly ResolvedAddress[]>;

/** The addresses a target may be connected to. A single private address among public ones refuses the whole name. */
export async function vetted(resolve: Resolve, target: Target): Promise<readonly ResolvedAddress[]> {
  const addresses = await resolve(target.host);
  if (!target.allowPrivate) {
    const bad = addresses.find((one) => !isPublicAddress(one.address));
    if (bad) throw blocked(`name ${target.host} has the address ${bad.address}, which is not public`);
  }
  return addresses;
}

function guardedLookup(resolve: Resolve, target: Target): LookupFunction {
  return (_hostname, options, callback) => {
    vetted(resolve, target).then(
      (addresses) => {
        if (options.all) {
          callback(
            null,
            addresses.map(({ address, family }) => ({ address, family })),
          );
          return;
        }
        const first = addresses[0];
        callback(null, first?.address ?? "", first?.family);
      },
      (error: NodeJS.ErrnoException | SluiceError) => callback(error, "", 4),
    );
  };
}

/**
 * Connects to one target only. `connect.lookup` is not called for IP literals (the URL check covers those) and a resolver may
 * lie, so the peer that was actually reached is checked too, before a byte of the request is written.
 */
export function guardedConnector(resolve: Resolve, target: Target, timeoutMs: number): buildConnector.connector {
  const connect = buildConnector({
    lookup: guardedLookup(resolve, target),
    timeout: timeoutMs,
    allowH2: false,
    autoSelectFamily: true,
    keepAlive: true,
  } as buildConnector.BuildOptions);
  return (options, callback) => {
    connect({ ...options, hostname: target.host }, (...result) => {
      const socket = result[1];
      if (socket && !target.allowPrivate && !isPublicAddress(socket.remoteAddress ?? "")) {
        const peer = socket.remoteAddress ?? "an unknown peer";
        socket.destroy();
        callback(blocked(`${target.host} led to ${peer}, which is not public`), null);
        return;
      }
      callback(...result);
    });
  };
}

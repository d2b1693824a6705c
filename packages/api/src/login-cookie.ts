import type { FastifyReply, FastifyRequest } from "fastify";

/** Reads, sets and clears the login cookie, the only one. */
export interface LoginCookie {
  read(request: FastifyRequest): string | undefined;
  set(reply: FastifyReply, token: string, expiresAtMs: number): void;
  clear(reply: FastifyReply): void;
}

/**
 * `sid`, inaccessible to scripts and not sent by cross-site requests; under https it is Secure and has the `__Host-` prefix, so that no
 * sibling domain can plant one.
 */
export function loginCookie(publicUrl: string): LoginCookie {
  const secure = publicUrl.startsWith("https://");
  const name = cookieName(publicUrl);
  const options = { path: "/", httpOnly: true, sameSite: "lax", secure } as const;
  return {
    read: (request) => request.cookies[name],
    set: (reply, token, expiresAtMs) => void reply.setCookie(name, token, { ...options, expires: new Date(expiresAtMs) }),
    clear: (reply) => void reply.clearCookie(name, options),
  };
}

/** The cookie's name for a public URL. */
export function cookieName(publicUrl: string): string {
  return publicUrl.startsWith("https://") ? "__Host-sid" : "sid";
}

import { config } from "zod/mini";

// The CSP forbids eval: without this zod tries it once, and the browser reports a violation.
config({ jitless: true });

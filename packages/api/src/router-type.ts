/** The only export that the console may import: types, no code. */
export type { AppRouter } from "./router.ts";

/** All that the console may import of this package: types, no code. */
export type { AppRouter } from "./router.ts";

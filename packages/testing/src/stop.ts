import { stopTestServices } from "./postgres.ts";

// The last step of the test script: stops the PostgreSQL that test files share, unless another run still uses it.
await stopTestServices();

// Prints the secret of a data directory, which is made if there is none.
import { readOrMakeSecret } from "../src/data-dir.ts";

process.stdout.write(await readOrMakeSecret(process.argv[2] ?? "", null));

/** What is wrong with a configuration file, one line a problem: `line 4: providers[0].dialekt: unknown field`. */
export class ConfigFileError extends Error {
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.name = "ConfigFileError";
    this.problems = problems;
  }
}

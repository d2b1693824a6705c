/** The problems of a configuration file, one per line: `line 4: providers[0].dialekt: unknown field`. */
export class ConfigFileError extends Error {
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.name = "ConfigFileError";
    this.problems = problems;
  }
}

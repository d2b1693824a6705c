/** What an application of the file did. */
export interface ConfigSummary {
  created: string[];
  updated: string[];
  unchanged: number;
  /** Things left as they are, and why. */
  notes: string[];
  /** Keys made without a fixed `key`: shown to whoever applied the file, nowhere else. */
  secrets: { user: string; key: string; secret: string }[];
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** One application of the file, on its way. */
export interface ApplyJob {
  environment: Environment;
  /** Whether somebody reads `summary.secrets`. */
  showsSecrets: boolean;
  summary: ConfigSummary;
}

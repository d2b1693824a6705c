/** What applying the file has done. */
export interface ConfigSummary {
  created: string[];
  updated: string[];
  unchanged: number;
  /** What was left unchanged, and why. */
  notes: string[];
  /** Keys created without a fixed `key`; shown only to the person who applies the file. */
  secrets: { user: string; key: string; secret: string }[];
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** State of one run of {@link file://./apply-config.ts}. */
export interface ApplyJob {
  environment: Environment;
  /** Whether somebody reads `summary.secrets`. */
  showsSecrets: boolean;
  summary: ConfigSummary;
}

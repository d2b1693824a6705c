/** A key as lists show it: never its secret, of which only the hash is kept. */
export interface KeyView {
  id: string;
  userId: string;
  userName: string;
  userEmail: string;
  name: string;
  group: string;
  /** `sk-sluice-Ab3d…9xYz`. */
  preview: string;
  rpm: number | null;
  inFlight: number | null;
  expiresAtMs: number | null;
  enabled: boolean;
  revokedAtMs: number | null;
  createdAtMs: number;
}

/** A page of keys; `total` counts all that the filter matches (the table is small). */
export interface KeyPage {
  rows: KeyView[];
  /** Cursor of the next page, null at the end. */
  next: string | null;
  total: number;
}

/** The only moment at which a key's secret exists outside its owner's hands. */
export interface CreatedKey {
  key: KeyView;
  secret: string;
}

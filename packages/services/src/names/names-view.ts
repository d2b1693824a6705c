/** Names by id, for rows that carry ids only. Users get their own keys and themselves, and no providers. */
export interface NamesView {
  providers: { id: string; name: string }[];
  keys: { id: string; name: string; userId: string }[];
  users: { id: string; name: string; email: string }[];
}

/** A user as admins see it. */
export interface UserView {
  id: string;
  email: string;
  name: string;
  role: "admin" | "user";
  enabled: boolean;
  hasPassword: boolean;
  createdAtMs: number;
}

/** A page of users; `total` counts all. */
export interface UserPage {
  rows: UserView[];
  next: string | null;
  total: number;
}

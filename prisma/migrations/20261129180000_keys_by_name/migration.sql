-- By hand (an expression): the keys of one user by name. Without it PostgreSQL walks everybody's names, or sorts all keys of the user.
CREATE INDEX "keys_user_id_name_id_idx" ON "keys" ("user_id", (lower("name") COLLATE "C"), "id");

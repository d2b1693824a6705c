import { execFile } from "node:child_process";
import { readFile, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { promisify } from "node:util";
import type { Log } from "@sluice/core/log";

const run = promisify(execFile);

/** A user and group of the machine as which a program can run. */
export interface SystemUser {
  name: string;
  uid: number;
  gid: number;
}

/** Whether this process is root: Postgres refuses to run as root and needs another user. */
export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** The user with this name or id, from /etc/passwd; null when there is none. */
export async function findSystemUser(nameOrUid: string | number): Promise<SystemUser | null> {
  const passwd = await readFile("/etc/passwd", "utf8").catch(() => "");
  for (const line of passwd.split("\n")) {
    const [name = "", , uid = "", gid = ""] = line.split(":");
    if (name !== "" && (name === nameOrUid || Number(uid) === nameOrUid)) return { name, uid: Number(uid), gid: Number(gid) };
  }
  return null;
}

/** `postgres` if the machine has it, else `sluice`, created if missing. Root only. @throws when it cannot be created. */
export async function findOrCreateDatabaseUser(log: Log): Promise<SystemUser> {
  const known = (await findSystemUser("postgres")) ?? (await findSystemUser("sluice"));
  if (known !== null) return known;
  log.warn({}, "Postgres does not run as root: creating the system user 'sluice' for it");
  try {
    await run("useradd", [
      "--system",
      "--user-group",
      "--no-create-home",
      "--home-dir",
      "/nonexistent",
      "--shell",
      "/usr/sbin/nologin",
      "sluice",
    ]);
  } catch (cause) {
    throw new Error(
      "Postgres does not run as root and the system user 'sluice' could not be created. Start Sluice as an ordinary user, create a user named 'sluice', or set DATABASE_URL.",
      { cause },
    );
  }
  const made = await findSystemUser("sluice");
  if (made === null) throw new Error("The system user 'sluice' was created but is not in /etc/passwd. Set DATABASE_URL.");
  return made;
}

/** Whether the user may enter the directory and all above it ("read": also list it), according to the mode bits. */
export async function isReachable(path: string, user: SystemUser, what: "enter" | "read" = "read"): Promise<boolean> {
  for (let at = path; ; at = dirname(at)) {
    const facts = await stat(at).catch(() => null);
    if (facts === null) return false;
    const bits = facts.uid === user.uid ? facts.mode >> 6 : facts.gid === user.gid ? facts.mode >> 3 : facts.mode;
    const wanted = at === path && what === "read" ? 5 : 1;
    if ((bits & wanted) !== wanted) return false;
    if (at === dirname(at)) return true;
  }
}

import type { Outputs } from "../../api/client.ts";
import type { Translate } from "../../text/translator.ts";
import type { Difference } from "../../ui/diff-list.tsx";

export type AuditEntry = Outputs["audit"]["list"]["items"][number];

/** The name of the actor. */
export function actorText(t: Translate, actor: AuditEntry["actor"]): string {
  return actor.name || actor.email || t(`audit.system.${actor.kind}`);
}

/** The name of the target at the time. */
export function targetText(entry: AuditEntry): string {
  for (const side of [entry.after, entry.before]) {
    for (const field of ["name", "email", "model"]) {
      const value = side?.[field];
      if (typeof value === "string" && value !== "") return value;
    }
  }
  return entry.targetKind === "settings" ? entry.targetId.split(",").join(", ") : entry.targetId.slice(-12);
}

/** Fields that say nothing about a change. */
const silent: ReadonlySet<string> = new Set(["id", "createdAtMs"]);

/** The fields that differ, and the number of equal ones. */
export function changesOf({ before, after }: AuditEntry): { changes: Difference[]; same: number } {
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])].filter((name) => !silent.has(name));
  const differing = names.filter((name) => JSON.stringify(before?.[name]) !== JSON.stringify(after?.[name]));
  const text = (side: Record<string, unknown> | null, name: string): string | null =>
    side === null || side[name] === undefined ? null : shown(side[name]);
  return {
    changes: differing.map((name) => ({ id: name, name, before: text(before, name), after: text(after, name) })),
    same: names.length - differing.length,
  };
}

function shown(value: unknown): string {
  if (typeof value === "string") return value === "" ? "“”" : value;
  const text = JSON.stringify(value);
  return text.length > 500 ? `${text.slice(0, 500)}…` : text;
}

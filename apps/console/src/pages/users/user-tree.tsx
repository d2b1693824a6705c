import { useQueries } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { api } from "../../api/client.ts";
import type { Key } from "../../keys/key.ts";
import { type KeyRow, keyRow } from "../../keys/key-row.tsx";
import type { ListRow } from "../../lists/row-list.tsx";
import { useFigures } from "../../lists/use-list.ts";
import { useTexts } from "../../text/i18n.ts";
import { buttonClass } from "../../ui/button.tsx";
import type { User } from "./user.ts";

interface UserRow extends ListRow {
  kind: "user";
  user: User;
}

/** A note below a user, instead of keys or after them. */
interface NoteRow extends ListRow {
  kind: "note";
}

export type TreeRow = UserRow | KeyRow | NoteRow;

/** Keys shown below a user; the rest are on the page of keys. */
const SHOWN = 100;

function MoreKeys({ user }: { user: User }) {
  const { t } = useTexts();
  return (
    <Link to="/keys" search={{ user: user.id }} className={buttonClass({ variant: "link" })}>
      {t("keys.more", { name: user.name })}
    </Link>
  );
}

/** Users and, below expanded ones, their keys, which are read on expansion. */
export function useUserTree(users: readonly User[]) {
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const opened = useMemo(() => users.filter(({ id }) => open.has(id)), [users, open]);
  const queries = useQueries({
    queries: opened.map(({ id }) =>
      api.keys.list.queryOptions({ userId: id, status: ["active", "disabled", "expired"], limit: SHOWN, fields: ["totals"] }),
    ),
    combine: (results) => results.map(({ data, isError }) => ({ data, isError })),
  });
  useFigures(useMemo(() => queries.flatMap(({ data }) => data ?? []), [queries]));
  const { t } = useTexts();
  const rows = users.flatMap((user, index): TreeRow[] => {
    const place = opened.indexOf(user);
    const row: UserRow = {
      ...{ id: user.id, kind: "user", user, level: 1, posInSet: index + 1, setSize: -1 },
      ...{ expanded: place >= 0, dim: !user.enabled },
    };
    if (place < 0) return [row];
    const read = queries[place];
    const items = read?.data?.items ?? [];
    const note = (what: string, whole: TreeRow["whole"]): NoteRow => ({
      ...{ id: `${user.id}:${what}`, kind: "note", level: 2, posInSet: items.length + 1, setSize: items.length + 1, whole },
    });
    const below = items.map((key: Key, at) =>
      keyRow(key, { level: 2, posInSet: at + 1, setSize: read?.data?.hasMore ? -1 : items.length }),
    );
    if (read?.isError) return [row, note("failed", <span className="text-sm text-bad">{t("errors.unavailable")}</span>)];
    if (!read?.data) return [row, note("loading", <span className="text-sm text-ink-3">{t("common.loading")}</span>)];
    if (items.length === 0) return [row, note("none", <span className="text-sm text-ink-3">{t("keys.noneOf")}</span>)];
    if (!read.data.hasMore) return [row, ...below];
    return [row, ...below, note("more", <MoreKeys user={user} />)];
  });
  function toggle(id: string, expanded: boolean): void {
    setOpen((now) => {
      const next = new Set(now);
      if (expanded) next.add(id);
      else next.delete(id);
      return next;
    });
  }
  return { rows, toggle };
}

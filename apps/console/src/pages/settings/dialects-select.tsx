import { dialectField } from "@sluice/core/inputs/provider";
import type { ComponentProps } from "react";
import { useTexts } from "../../text/i18n.ts";
import { NativeSelect } from "../../ui/field.tsx";

/** Chooses one API or any. `set` is the rule's current value: several dialects, which another tool may have set, remain an option. */
export function DialectsSelect({ set = [], ...props }: ComponentProps<"select"> & { set?: readonly string[] | undefined }) {
  const { t } = useTexts();
  return (
    <NativeSelect {...props}>
      <option value="">{t("settings.rules.anyDialect")}</option>
      {set.length > 1 && <option value={set.join(",")}>{set.join(", ")}</option>}
      {dialectField.options.map((dialect) => (
        <option key={dialect}>{dialect}</option>
      ))}
    </NativeSelect>
  );
}

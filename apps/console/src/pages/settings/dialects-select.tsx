import { dialectField } from "@sluice/core/inputs/provider";
import type { ComponentProps } from "react";
import { useTranslation } from "react-i18next";
import { NativeSelect } from "../../ui/field.tsx";

/** One API, or any; `set` are those of the rule as it is: several, which another tool has put there, stay choosable. */
export function DialectsSelect({ set = [], ...props }: ComponentProps<"select"> & { set?: readonly string[] | undefined }) {
  const { t } = useTranslation();
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

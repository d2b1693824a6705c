import { useState } from "react";
import { type DefaultValues, type FieldErrors, type FieldValues, type Path, type Resolver, useForm } from "react-hook-form";
import type { z } from "zod";
import { type Failure, readFailure } from "../api/failure.ts";
import { useTexts } from "../text/i18n.ts";

interface InputFormOptions<V extends FieldValues, S extends z.ZodType> {
  /** The server's own schema of the input, so that both sides refuse the same. */
  schema: S;
  defaults: DefaultValues<V>;
  /** Converts the fields' texts to the input. Where possible, field names equal the input's. */
  toInput(values: V): unknown;
  submit(input: z.output<S>, values: V): Promise<unknown>;
  /** Maps a field refused by the server to the form's field; default: the first part of its path. */
  fieldOf?(field: string): string;
}

type Issue = z.core.$ZodIssue;

/** A form over one of core's input schemas: validated here by the server's rules, with the server's refusals shown at their fields. */
export function useInputForm<V extends FieldValues, S extends z.ZodType>({
  schema,
  defaults,
  toInput,
  submit,
  fieldOf = (field) => field.split(".")[0] ?? "",
}: InputFormOptions<V, S>) {
  const text = useIssueText();
  const [failure, setFailure] = useState<Failure | null>(null);
  const resolver: Resolver<V, unknown, V> = (values) => {
    const result = schema.safeParse(toInput(values), { reportInput: true });
    if (result.success) return { values, errors: {} };
    const errors: Record<string, { type: string; message: string }> = {};
    for (const issue of result.error.issues) {
      const name = String(issue.path[0] ?? "root");
      errors[name] ??= { type: issue.code, message: text(issue, name) };
    }
    return { values: {}, errors: errors as FieldErrors<V> };
  };
  const form = useForm<V, unknown, V>({ defaultValues: defaults, resolver, mode: "onTouched" });
  const onSubmit = form.handleSubmit(async (values) => {
    setFailure(null);
    try {
      await submit(schema.parse(toInput(values)), values);
    } catch (error) {
      const caught = readFailure(error);
      const name = fieldOf(caught.field);
      if (name && name in form.getValues()) form.setError(name as Path<V>, { type: "server", message: caught.message });
      else setFailure(caught);
    }
  });
  const errorOf = (name: Path<V>): string | undefined => {
    const message = form.getFieldState(name, form.formState).error?.message;
    return message || undefined;
  };
  return { form, onSubmit, failure, errorOf, busy: form.formState.isSubmitting };
}

/** The text of a validation error, in the reader's language. */
function useIssueText(): (issue: Issue, name: string) => string {
  const { t } = useTexts();
  return (issue, name) => {
    if (issue.code === "invalid_format" && issue.input === "") return t("form.required");
    if (name === "modelRedirects") return t("form.redirect");
    if (name === "groups" || name === "group") return t("form.group");
    if (/^cost.*Usd$/.test(name)) return t("form.usd");
    if (/PerMTok$|multiplier$|Usd$/i.test(name)) return t("form.decimal");
    if (issue.code === "invalid_format" && issue.format === "email") return t("form.email");
    if (issue.code === "invalid_format" && issue.format === "url") return t("form.url");
    if (issue.code === "too_small" && issue.origin === "string")
      return Number(issue.minimum) > 1 ? t("form.tooShort", { min: Number(issue.minimum) }) : t("form.required");
    if ((issue.code === "too_small" || issue.code === "too_big") && (issue.origin === "number" || issue.origin === "int"))
      return issue.code === "too_small"
        ? t("form.atLeast", { min: Number(issue.minimum) })
        : t("form.atMost", { max: Number(issue.maximum) });
    if (issue.code === "invalid_type" && (issue.expected === "number" || issue.expected === "int")) return t("form.whole");
    if (issue.code === "invalid_type") return t("form.required");
    return t("form.invalid");
  };
}

/** An optional integer from a text field: empty is null; anything else is left for the schema to refuse. */
export function numberOrNull(text: string): number | null {
  return text.trim() === "" ? null : Number(text);
}

/** The items of a field that takes several, separated by commas or lines. */
export function items(text: string): string[] {
  return text.split(/[\n,]/).flatMap((item) => item.trim() || []);
}

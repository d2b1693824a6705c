import { SluiceError } from "@sluice/core/errors";
import { matchErrorRule } from "@sluice/core/routing/error-rules";
import type { Call } from "../call.ts";
import type { Failure } from "./answers.ts";

/** A provider's error with its default meaning and what the client would get. */
interface Judged extends Failure {
  status: number;
  text: string;
  /** Whether another provider would be tried. */
  failsOver: boolean;
}

/**
 * Applies the administrator's rules to a provider's error: returns the failure after which other attempts continue, or null
 * when the request ends here (`call.answer` is set). The rule that matched is recorded in the attempt.
 * @throws SluiceError when the request ends here and no answer of the provider may be passed on.
 */
export function applyErrorRule(call: Call, { status, text, failsOver, ...failure }: Judged): Failure | null {
  const { provider, attempt } = call;
  const answer = { status, text, providerName: provider?.name ?? "", dialect: provider?.dialect ?? call.row.dialect };
  const rule = matchErrorRule(call.config.settings["upstream.errorRules"], answer);
  if (!rule) return failsOver ? failure : end(call, failure);
  if (attempt) attempt.rule = { name: rule.name, action: rule.action };
  const told = rule.status !== null || rule.message !== "" ? retold(call, failure, rule) : failure;
  if (rule.action === "answer") return end(call, told);
  return { ...told, retry: rule.action === "retry" };
}

function end(call: Call, { error, answer }: Failure): null {
  if (!answer) throw error;
  call.answer = answer;
  return null;
}

/** In the client's dialect, with the rule's message and status. */
function retold(call: Call, { error, reading }: Failure, rule: { status: number | null; message: string }): Failure {
  const { code, detail, retryAfterS } = error;
  const message = rule.message || error.message;
  const shown = new SluiceError(code, {
    ...{ message, detail, status: rule.status ?? error.status },
    ...(retryAfterS === undefined ? {} : { retryAfterS }),
  });
  const headers: Record<string, string> = { "content-type": "application/json" };
  if (retryAfterS !== undefined) headers["retry-after"] = String(retryAfterS);
  const body = Buffer.from(call.dialect.errorBody(shown, call.id));
  return { error: shown, reading, answer: { kind: "whole", status: shown.status, headers, body, reading: null, error: shown } };
}

import { getRouteApi } from "@tanstack/react-router";
import { Check } from "lucide-react";
import { useState } from "react";
import { OuterFrame } from "../../shell/outer-frame.tsx";
import { useTexts } from "../../text/i18n.ts";
import { cn } from "../../ui/class-names.ts";
import { AdminStep } from "./admin-step.tsx";
import { KeyStep } from "./key-step.tsx";
import { ProviderStep } from "./provider-step.tsx";
import { RequestStep } from "./request-step.tsx";

const route = getRouteApi("/setup");
const steps = ["admin", "provider", "key", "request"] as const;

/** The key created here; its secret is kept only in memory. */
export interface MadeKey {
  id: string;
  secret: string;
}

/** From the token in the server's log to the first request, in four steps. */
export function SetupPage() {
  const { token, step: wanted } = route.useSearch();
  const { login } = route.useRouteContext();
  const navigate = route.useNavigate();
  const [key, setKey] = useState<MadeKey | null>(null);
  const [dialect, setDialect] = useState<"anthropic" | "openai" | "gemini">("anthropic");
  const step = !login.user ? "admin" : wanted === "request" && !key ? "key" : (wanted ?? "provider");
  const go = (next: "provider" | "key" | "request"): void => void navigate({ search: { step: next }, replace: true });
  return (
    <OuterFrame>
      <div className="mx-auto flex w-full max-w-xl flex-1 flex-col pt-[4vh]">
        <Progress current={steps.indexOf(step)} />
        <div className="mt-8">
          {step === "admin" && <AdminStep token={token ?? ""} />}
          {step === "provider" && (
            <ProviderStep
              onDone={(made) => {
                if (made) setDialect(made);
                go("key");
              }}
            />
          )}
          {step === "key" && login.user && (
            <KeyStep
              userId={login.user.id}
              onDone={(made) => {
                setKey(made);
                go("request");
              }}
            />
          )}
          {step === "request" && key && <RequestStep madeKey={key} baseUrl={login.baseUrl} dialect={dialect} />}
        </div>
      </div>
    </OuterFrame>
  );
}

function Progress({ current }: { current: number }) {
  const { t } = useTexts();
  return (
    <ol aria-label={t("setup.steps")} className="flex items-center gap-2">
      {steps.map((step, index) => (
        <li
          key={step}
          aria-current={index === current ? "step" : undefined}
          className={cn("flex items-center gap-2 text-xs font-medium", index < steps.length - 1 && "flex-1")}
        >
          <span
            className={cn(
              "flex size-6 shrink-0 items-center justify-center rounded-full border text-2xs",
              index < current && "border-ok bg-ok-soft text-ok",
              index === current && "border-accent bg-accent text-on-accent",
              index > current && "border-line-strong text-ink-3",
            )}
          >
            {index < current ? <Check aria-hidden="true" className="size-3.5" /> : index + 1}
          </span>
          <span className={cn("whitespace-nowrap max-sm:sr-only", index === current ? "text-ink" : "text-ink-3")}>
            {t(`setup.step.${step}`)}
          </span>
          {index < steps.length - 1 && <span aria-hidden="true" className="h-px min-w-3 flex-1 bg-line-strong" />}
        </li>
      ))}
    </ol>
  );
}

import { readFailure } from "../api/failure.ts";
import { useFailureText } from "./states.tsx";
import { toastFailed } from "./toast.tsx";

/** Reports what a call threw, in the reader's language. */
export function useToastFailure(): (thrown: unknown) => void {
  const failureText = useFailureText();
  return (thrown) => toastFailed(failureText(readFailure(thrown)));
}

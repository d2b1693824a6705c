import type { Access } from "@sluice/services/access";
import type { Ctx } from "@sluice/services/context";
import type { z } from "zod";

export const basePath = "/api/v1";

/** A text that comes in pieces, in the format that the input's field `format` says; saved as `sluice-<file>-<time>.<format>`. */
interface Download {
  file: string;
}

/** One operation of the REST API: where it is, who may call it, what it takes and gives, and the verb that does the work. */
interface Spec<I, A> {
  /** The operationId: what generated clients call it. */
  id: string;
  /** Method and path below {@link basePath}; `{name}` is a field of the input. */
  at: `${"GET" | "POST" | "PATCH" | "DELETE"} /${string}`;
  access: Access;
  tag: string;
  summary: string;
  /** The verb's own: fields that the path does not name are parameters of a GET or DELETE, and the body of others. */
  input: I;
  /** What of the verb's answer is told, by a schema; null: nothing is, the status is 204. */
  answer: A;
  verb(ctx: Ctx, input: I extends z.ZodType ? z.input<I> : undefined): Promise<Told<A>>;
}

type Told<A> = A extends z.ZodType ? z.input<A> : A extends null ? unknown : AsyncIterable<string>;
type Input = z.ZodObject | null;
type Answer = z.ZodType | Download | null;

/** As the adapter and the document see it. */
export interface Operation extends Omit<Spec<Input, Answer>, "verb"> {
  method: string;
  path: string;
  run(ctx: Ctx, input: unknown): Promise<unknown>;
}

/** Makes an operation. That the verb answers what the schema tells is checked here, by its types. */
export function operation<I extends Input, A extends Answer>({ verb, ...spec }: Spec<I, A>): Operation {
  const [method = "", path = ""] = spec.at.split(" ");
  return { ...spec, method, path, run: (ctx, input) => verb(ctx, input as Parameters<typeof verb>[1]) };
}

/** Whether the answer is a download. */
export function isDownload(answer: Answer): answer is Download {
  return answer !== null && "file" in answer && typeof answer.file === "string";
}

/** Whether fields that the path does not name are in the body. */
export function hasBody({ method, input }: Operation): boolean {
  return input !== null && (method === "POST" || method === "PATCH");
}

/** Names of the fields in a path. */
export function pathFields(path: string): string[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name);
}

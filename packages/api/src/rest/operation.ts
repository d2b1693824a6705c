import type { Access } from "@sluice/services/access";
import type { Ctx } from "@sluice/services/context";
import type { z } from "zod";

export const basePath = "/api/v1";

/** A streamed text in the format given by the input's field `format`; saved as `sluice-<file>-<time>.<format>`. */
interface Download {
  file: string;
}

/** One operation of the REST API: path, access, input, answer and the verb that does the work. */
interface Spec<I, A> {
  /** The operationId, which names the method in generated clients. */
  id: string;
  /** Method and path below {@link basePath}; `{name}` refers to a field of the input. */
  at: `${"GET" | "POST" | "PATCH" | "DELETE"} /${string}`;
  access: Access;
  tag: string;
  summary: string;
  /** The verb's input. Fields not in the path are query parameters of GET and DELETE, and the body of other methods. */
  input: I;
  /** The part of the verb's answer that is returned, as a schema; null: nothing, with status 204. */
  answer: A;
  verb(ctx: Ctx, input: I extends z.ZodType ? z.input<I> : undefined): Promise<Told<A>>;
}

type Told<A> = A extends z.ZodType ? z.input<A> : A extends null ? unknown : AsyncIterable<string>;
type Input = z.ZodObject | null;
type Answer = z.ZodType | Download | null;

/** The form that the adapter and the document use. */
export interface Operation extends Omit<Spec<Input, Answer>, "verb"> {
  method: string;
  path: string;
  run(ctx: Ctx, input: unknown): Promise<unknown>;
}

/** Creates an operation. The types check that the verb returns what the schema describes. */
export function operation<I extends Input, A extends Answer>({ verb, ...spec }: Spec<I, A>): Operation {
  const [method = "", path = ""] = spec.at.split(" ");
  return { ...spec, method, path, run: (ctx, input) => verb(ctx, input as Parameters<typeof verb>[1]) };
}

/** Whether the answer is a download. */
export function isDownload(answer: Answer): answer is Download {
  return answer !== null && "file" in answer && typeof answer.file === "string";
}

/** Whether fields that are not in the path are sent in the body. */
export function hasBody({ method, input }: Operation): boolean {
  return input !== null && (method === "POST" || method === "PATCH");
}

/** Names of the fields in a path. */
export function pathFields(path: string): string[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name);
}

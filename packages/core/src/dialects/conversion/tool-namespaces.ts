/**
 * OpenAI's Responses group tools in namespaces, and a call names both. Other dialects have only one name, so the two are
 * joined for them and split on the way back. Tools without a namespace belong to `functions`.
 */
const SEPARATOR = "__";
const DEFAULT = "functions";

/** The single name of a tool. */
export function joinNamespace(namespace: string, name: string): string {
  return namespace === "" || namespace === DEFAULT ? name : namespace + SEPARATOR + name;
}

/** Both names, as fields of a call. */
export function splitNamespace(name: string, namespace: string | undefined): { name: string; namespace?: string } {
  if (namespace === undefined || namespace === DEFAULT) return { name };
  return { name: name.slice(namespace.length + SEPARATOR.length), namespace };
}

/**
 * OpenAI's Responses group tools in namespaces, and a call says both names. Other dialects know one name, so both are
 * joined for them and taken apart on the way back. `functions` is where tools without a namespace are, too.
 */
const SEPARATOR = "__";
const DEFAULT = "functions";

/** The one name of a tool. */
export function joinNamespace(namespace: string, name: string): string {
  return namespace === "" || namespace === DEFAULT ? name : namespace + SEPARATOR + name;
}

/** Both names, as fields of a call. */
export function splitNamespace(name: string, namespace: string | undefined): { name: string; namespace?: string } {
  if (namespace === undefined || namespace === DEFAULT) return { name };
  return { name: name.slice(namespace.length + SEPARATOR.length), namespace };
}

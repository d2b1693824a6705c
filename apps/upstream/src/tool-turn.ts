import type { Call } from "./call.ts";
import type { Scenario } from "./scenario.ts";

type Json = Record<string, unknown>;

const records = (value: unknown): Json[] =>
  Array.isArray(value) ? value.filter((item): item is Json => typeof item === "object" && item !== null) : [];

/** Finds a tool among those that a client offers, however its dialect nests them. */
function findTool(tools: unknown, name: string): Json | undefined {
  for (const tool of records(tools)) {
    const found = tool.name === name ? tool : findTool(tool.tools ?? tool.functionDeclarations ?? [tool.function], name);
    if (found) return found;
  }
  return undefined;
}

/** Whether the conversation already contains a tool result. */
function hasResult({ messages, input, contents }: Json): boolean {
  const isResult = ({ type, role, functionResponse }: Json) =>
    role === "tool" || type === "tool_result" || String(type).endsWith("_call_output") || functionResponse !== undefined;
  return records(messages ?? input ?? contents).some((turn) => [turn, ...records(turn.content ?? turn.parts)].some(isResult));
}

/** Resolves the script `use` for this request: calls the tool if it is offered and there is no result yet; otherwise answers with text. */
export function toolTurn({ body }: Call, scenario: Scenario): Scenario {
  if (!scenario.tool || hasResult(body)) return scenario;
  // Codex offers its tools in the conversation.
  const tool = findTool(body.tools, scenario.tool.name) ?? findTool(body.input, scenario.tool.name);
  return tool ? { ...scenario, content: "tool", tool: { ...scenario.tool, isCustom: tool.type === "custom" } } : scenario;
}

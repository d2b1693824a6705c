/** Texts of every chart. */
export const chart = {
  summary: "{{title}}, {{from}} to {{to}}. {{series}}",
  asTable: "{{title}} as a table",
  time: "Time",
  nothing: "No data in this range",
} as const;

/** 图表通用文字。 */
export const chart = {
  summary: "{{title}}，{{from}} 至 {{to}}。{{series}}",
  asTable: "以表格显示{{title}}",
  time: "时间",
} as const;

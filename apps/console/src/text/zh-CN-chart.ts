/** 图表通用文字。 */
export const chart = {
  summary: "{{title}}，{{from}} 至 {{to}}。{{series}}",
  asTable: "以表格显示{{title}}",
  time: "时间",
  nothing: "该时间范围内没有数据",
} as const;

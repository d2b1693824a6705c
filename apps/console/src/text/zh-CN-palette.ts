import type { Texts } from "./i18n.ts";

export const palette: Texts["palette"] = {
  title: "前往或查找",
  open: "搜索",
  placeholder: "页面、供应商、用户、密钥、模型或请求 ID",
  empty: "没有与“{{query}}”匹配的内容。",
  pages: "页面",
  logsOf: "相关请求",
  provider: "供应商",
  user: "用户",
  key: "密钥",
  model: "模型",
  request: "请求",
  openRequest: "打开请求 {{id}}",
  preferences: "偏好设置",
  themeTo: "主题：{{name}}",
  languageTo: "语言：{{name}}",
};

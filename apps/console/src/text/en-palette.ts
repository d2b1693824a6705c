/** The command palette. */
export const palette = {
  title: "Go to or find",
  open: "Search",
  placeholder: "Page, provider, user, key, model or request ID",
  empty: "Nothing matches “{{query}}”.",
  pages: "Pages",
  logsOf: "Requests of",
  provider: "Provider",
  user: "User",
  key: "Key",
  model: "Model",
  request: "Request",
  openRequest: "Open the request {{id}}",
  preferences: "Preferences",
  themeTo: "Theme: {{name}}",
  languageTo: "Language: {{name}}",
};

import type { Texts } from "./i18n.ts";

export const policies: Texts["policies"] = {
  title: "使用策略",
  models: "允许的模型",
  modelsHint: "每行一个，如 gpt-5、claude-* 或 /^o[34]/。留空：任何模型。",
  allowedClients: "允许的客户端",
  allowedClientsHint: "User-Agent，每行一个；* 表示任意文本，如 claude-cli/*。留空：任何客户端。",
  blockedClients: "禁止的客户端",
  blockedClientsHint: "User-Agent，每行一个。即使在允许列表中也会被拒绝。",
  addresses: "允许的地址",
  addressesHint: "每行一个，如 10.0.0.0/8 或 2001:db8::/32。留空：任何地址。",
  validDays: "首次请求后的有效天数",
  validDaysHint: "从首次请求起经过这些天后过期。留空：不限。",
  userExpires: "密钥到期",
  userExpiresHint: "届时该用户的全部密钥失效。留空：永不。",
  days_other: "首次请求后 {{count}} 天",
  none: "该密钥没有任何使用限制。",
};

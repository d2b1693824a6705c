import type { AlertKind } from "./alert-kinds.ts";

/** Names of the alert kinds, the same in the console and in messages. */
export const alertKindNames: Readonly<Record<"en" | "zh-CN", Readonly<Record<AlertKind, string>>>> = {
  en: {
    cost: "Cost",
    budget: "Budget used",
    error_rate: "Error rate",
    ttft: "Time to first token (p95)",
    response_time: "Response time (p95)",
    prompt_cache_hit_rate: "Prompt cache hit rate",
    breaker_open: "Breaker open",
    unpriced_model: "Model without a price",
    cache_hit_rate: "Console cache hit rate",
    api_response_time: "Console response time (p95)",
    redis_memory: "Redis memory",
    spool_depth: "Spool depth",
  },
  "zh-CN": {
    cost: "费用",
    budget: "预算用量",
    error_rate: "错误率",
    ttft: "首个 Token 时间（p95）",
    response_time: "响应时间（p95）",
    prompt_cache_hit_rate: "提示词缓存命中率",
    breaker_open: "熔断器已断开",
    unpriced_model: "模型没有价格",
    cache_hit_rate: "控制台缓存命中率",
    api_response_time: "控制台响应时间（p95）",
    redis_memory: "Redis 内存",
    spool_depth: "待落库记录数",
  },
};

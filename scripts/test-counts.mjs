// What `npm test` says at its end: counted by the runners, in their reports, never by hand.

/** Of vitest's report; null: there is none. A run can fail without a failed test: coverage under its threshold, an unhandled error. */
export function unitCounts(report, code) {
  if (!report) return { passed: 0, failed: 1, skipped: 0 };
  const skipped = (report.numPendingTests ?? 0) + (report.numTodoTests ?? 0);
  return { passed: report.numPassedTests, failed: report.numFailedTests || (code === 0 ? 0 : 1), skipped };
}

/** Of Playwright's. What passed at the second try only has passed. */
export function browserCounts(report, code) {
  const stats = report?.stats;
  if (!stats) return { passed: 0, failed: 1, skipped: 0 };
  return { passed: stats.expected + stats.flaky, failed: stats.unexpected || (code === 0 ? 0 : 1), skipped: stats.skipped };
}

/** All parts together, and the line that says so. */
export function sumCounts(parts) {
  const sum = (key) => parts.reduce((total, part) => total + part[key], 0);
  const [passed, failed, skipped] = [sum("passed"), sum("failed"), sum("skipped")];
  return { failed, skipped, line: `${passed} passed, ${failed} failed, ${skipped} skipped` };
}

// What `npm test` says at its end: counted by the runners, in their reports, never by hand.
import { relative } from "node:path";
import { stripVTControlCharacters } from "node:util";

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

/** What of vitest's failed, or passed at the second try only, a line each: it is far above in the output by then. */
export function unitTroubles(report) {
  return (report?.testResults ?? []).flatMap(({ name, status, message, assertionResults }) => {
    const tests = assertionResults.filter(({ failureMessages }) => failureMessages.length > 0);
    const lines = tests.map((test) => trouble(test.status === "failed", name, test.fullName, test.failureMessages[0]));
    // A file that fails without a failed test: it could not be loaded, or a hook of it failed.
    return status === "failed" && !tests.some((test) => test.status === "failed") ? [...lines, trouble(true, name, "", message)] : lines;
  });
}

/** Of Playwright's, likewise. */
export function browserTroubles(report) {
  const specsOf = ({ specs = [], suites = [] }) => [...specs, ...suites.flatMap(specsOf)];
  return specsOf(report ?? {}).flatMap(({ file, title, tests }) =>
    tests
      .filter(({ status }) => status === "unexpected" || status === "flaky")
      .map(({ status, projectName, results }) =>
        trouble(status === "unexpected", `e2e/${file}`, `[${projectName}] ${title}`, results.find((result) => result.error)?.error.message),
      ),
  );
}

function trouble(failed, file, title, message = "") {
  const [firstLine = ""] = stripVTControlCharacters(message).split("\n");
  return `${failed ? "failed" : "passed at the second try only"}: ${relative(".", file)} › ${title}: ${firstLine}`;
}

/** All parts together, and the line that says so. */
export function sumCounts(parts) {
  const sum = (key) => parts.reduce((total, part) => total + part[key], 0);
  const [passed, failed, skipped] = [sum("passed"), sum("failed"), sum("skipped")];
  return { failed, skipped, line: `${passed} passed, ${failed} failed, ${skipped} skipped` };
}

// The summary at the end of `npm test`, counted from the runners' reports.
import { relative } from "node:path";
import { stripVTControlCharacters } from "node:util";

/** Counts of vitest's report; null = no report. A run can fail without a failed test: coverage below its threshold, an unhandled error. */
export function unitCounts(report, code) {
  if (!report) return { passed: 0, failed: 1, skipped: 0 };
  const skipped = (report.numPendingTests ?? 0) + (report.numTodoTests ?? 0);
  return { passed: report.numPassedTests, failed: report.numFailedTests || (code === 0 ? 0 : 1), skipped };
}

/** Counts of Playwright's report. A test that passed on its second try has passed. */
export function browserCounts(report, code) {
  const stats = report?.stats;
  if (!stats) return { passed: 0, failed: 1, skipped: 0 };
  return { passed: stats.expected + stats.flaky, failed: stats.unexpected || (code === 0 ? 0 : 1), skipped: stats.skipped };
}

/** One line for each vitest test that failed or needed a second try: by the end of the run, its output has scrolled away. */
export function unitTroubles(report) {
  return (report?.testResults ?? []).flatMap(({ name, status, message, assertionResults }) => {
    const tests = assertionResults.filter(({ failureMessages }) => failureMessages.length > 0);
    const lines = tests.map((test) => trouble(test.status === "failed", name, test.fullName, test.failureMessages[0]));
    // A file can fail without a failed test: it could not be loaded, or one of its hooks failed.
    return status === "failed" && !tests.some((test) => test.status === "failed") ? [...lines, trouble(true, name, "", message)] : lines;
  });
}

/** The same for Playwright. */
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

/** The sum of all parts, and the line that reports it. */
export function sumCounts(parts) {
  const sum = (key) => parts.reduce((total, part) => total + part[key], 0);
  const [passed, failed, skipped] = [sum("passed"), sum("failed"), sum("skipped")];
  return { failed, skipped, line: `${passed} passed, ${failed} failed, ${skipped} skipped` };
}

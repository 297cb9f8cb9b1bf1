// count-tests.mjs REPORT FAILED_CHECKS VITEST_CODE: prints `N passed, N failed[, N skipped]`; exit code 1 if any failed.
// A failed check, a test file that fails outside its tests, and a vitest that ends badly each count as one failed.
import { readFileSync } from 'node:fs'

const [, , reportFile, checksFile, vitestCode] = process.argv
const failures = readFileSync(checksFile, 'utf8').trim().split('\n').filter(Boolean)
let report = { testResults: [], numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0 }
try {
  report = JSON.parse(readFileSync(reportFile, 'utf8'))
} catch (error) {
  failures.push(`vitest: no report: ${error.message}`)
}
for (const file of report.testResults) {
  const failed = file.assertionResults.filter(({ status }) => status === 'failed')
  for (const test of failed) failures.push(`${file.name}: ${test.fullName}`)
  if (file.status === 'failed' && failed.length === 0) failures.push(`${file.name}: ${file.message}`)
}
if (vitestCode !== '0' && failures.length === 0) failures.push(`vitest: exit code ${vitestCode}`)

for (const failure of failures) console.log(`failed: ${failure}`)
const skipped = report.numPendingTests + report.numTodoTests
console.log(
  `${report.numPassedTests} passed, ${failures.length} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`,
)
process.exitCode = failures.length > 0 ? 1 : 0

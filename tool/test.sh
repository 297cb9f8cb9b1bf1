#!/bin/sh
# npm test: every check and every test; the last line of standard output counts them.
set -u
cd "$(dirname "$0")/.." || exit 1
if ! sh tool/setup.sh; then
  printf "failed: setup\n0 passed, 1 failed\n"
  exit 1
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
: >"$work/failed-checks"

check() {
  echo "check: $*"
  "$@" || echo "$*" >>"$work/failed-checks"
}
bin=node_modules/.bin
check $bin/oxfmt --check .
check $bin/tsc
check $bin/oxlint --type-aware --deny-warnings agent hub net test tool
check $bin/knip

$bin/vitest run --reporter=default --reporter=json --outputFile.json="$work/report.json"
node tool/count-tests.mjs "$work/report.json" "$work/failed-checks" $?

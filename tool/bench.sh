#!/bin/sh
# npm run bench -- switch|tunnel [--rounds N] [--only NAME,...] [--memory] [--json]: ratios against peers. Needs root.
set -eu
cd "$(dirname "$0")/.."
case "${1:-}" in
switch | tunnel) ;;
*)
  echo "usage: npm run bench -- switch|tunnel [--rounds N] [--only NAME,...] [--memory] [--json]" >&2
  exit 2
  ;;
esac
name=$1
shift
exec node --import tsx "test/bench/$name.ts" "$@"

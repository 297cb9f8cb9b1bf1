#!/bin/sh
# npm run soak -- NAME [OPTION ...]: what takes minutes and is no part of npm test. Needs root, except for fuzz.
set -eu
cd "$(dirname "$0")/.."
usage() {
  cat >&2 <<'END'
usage: npm run soak -- tunnel [--minutes N] [--seed N] [--fault NAME] [--json]   traffic and faults; default: 10 minutes, all
       npm run soak -- fuzz [--seconds N] [--seed N]                             every fuzz target; default: 60 s each
       npm run soak -- topology [--kills N] [--seed N] [--json]                  processes of running topologies; default: 50
       npm run soak -- kills [--kills N]                                         agents killed at random moments; default: 20
END
  exit 2
}

# Sets the variable of the option $1 to the number $2. Seeds may be negative.
number() {
  case "$name $1" in
  'fuzz --seconds') HYBRIDGE_FUZZ_SECONDS=$2 digits=$2 ;;
  'fuzz --seed') export HYBRIDGE_FUZZ_SEED="$2" && digits=${2#-} ;;
  'kills --kills') HYBRIDGE_KILLS=$2 digits=$2 ;;
  *) usage ;;
  esac
  case "$digits" in
  '' | *[!0-9]*) usage ;;
  esac
}

name=${1:-}
[ $# -eq 0 ] || shift
case "$name" in
tunnel | topology) exec node --import tsx "test/soak/$name.ts" "$@" ;;
fuzz | kills) ;;
*) usage ;;
esac
export HYBRIDGE_FUZZ_SECONDS=60 HYBRIDGE_KILLS=20
while [ $# -gt 0 ]; do
  number "$1" "${2:-}"
  shift 2
done
if [ "$name" = fuzz ]; then
  exec node_modules/.bin/vitest run --project fuzz
fi
exec node_modules/.bin/vitest run --project system test/netns/nic-restore.test.ts

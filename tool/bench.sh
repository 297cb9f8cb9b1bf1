#!/bin/sh
# npm run bench -- NAME [OPTION ...]: figures beside peers in the same run. Needs root.
set -eu
cd "$(dirname "$0")/.."
usage() {
  cat <<'EOF'
usage: npm run bench -- switch|tunnel|latency|far|vde|topology [--rounds N] [--only NAME,...] [--scenario NAME,...] [--memory]
                        [--congestion cubic|bbr] [--json]
EOF
}
case " $* " in
*' --help '*)
  usage
  exit
  ;;
esac
case "${1:-}" in
switch | tunnel | latency | far | vde | topology) ;;
*)
  usage >&2
  exit 2
  ;;
esac
name=$1
shift
exec node --import tsx "test/bench/$name.ts" "$@"

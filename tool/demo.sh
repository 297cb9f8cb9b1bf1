#!/bin/sh
# npm run demo: installs what is missing, then shows a lab PC and a far host on one LAN. Needs root.
set -eu
cd "$(dirname "$0")/.."
sh tool/setup.sh
if [ "$(id -u)" != 0 ]; then
  echo "demo: needs root, for network namespaces: sudo npm run demo" >&2
  exit 1
fi
exec node --import tsx test/demo.ts

#!/bin/sh
# npm run setup: what tests, benchmarks and the demo need, on Debian with Node and npm. Says nothing when all is there.
set -eu
cd "$(dirname "$0")/.."

packages="bsdextrautils curl debootstrap dnsmasq-base dpkg-dev ethtool fish g++ inetutils-telnet iperf3 iproute2
  iputils-ping ipxe-qemu libcap2-bin libpcap-dev make man-db mandoc microsocks nftables nginx-light openssh-client
  openssh-server openssl openvswitch-switch procps python3 python3-scapy qemu-system-x86 seabios socat systemd tcpdump
  tinyproxy tmux traceroute tshark udhcpc vde2 vdeplug zsh"

missing=
for package in $packages; do
  state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || state=
  [ "$state" = installed ] || missing="$missing $package"
done
if [ -n "$missing" ]; then
  if [ "$(id -u)" != 0 ]; then
    echo "setup: missing packages; as root: apt-get install --no-install-recommends$missing" >&2
    exit 1
  fi
  echo "setup: installing$missing"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  # shellcheck disable=SC2086
  apt-get install -y -qq --no-install-recommends $missing >/dev/null
fi

# cap, which is optional, is left out where libpcap's headers were missing when it was to be built.
if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ] ||
  [ ! -e node_modules/cap ]; then
  echo "setup: npm ci"
  # The headers of an installed Node spare node-gyp a download.
  prefix=$(dirname "$(dirname "$(readlink -f "$(command -v node)")")")
  [ ! -e "$prefix/include/node/node.h" ] || export npm_config_nodedir="$prefix"
  npm ci --no-audit --no-fund --loglevel=error
fi

newer=
for command in hconnect hybridge; do
  [ -e "dist/$command.js" ] || newer=$command
done
[ -n "$newer" ] ||
  newer=$(find agent hub net tool/build.mjs package.json -newer dist/hybridge.js -type f ! -name '*.test.ts')
if [ -n "$newer" ]; then
  echo "setup: npm run build"
  npm run --silent build
fi

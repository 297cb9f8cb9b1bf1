/** Fifty devices on sixty bridges: a ring, and ten bridges with every tenth device. */
export const DEVICES = 50
export const BRIDGES = 60
const SHARED = BRIDGES - DEVICES

/** Bridges of a device's interfaces em0, em1 and em2; devices count from 0. */
const bridgesOf = (device: number): readonly [number, number, number] => [
  device,
  (device + 1) % DEVICES,
  DEVICES + (device % SHARED),
]

/** An address on each of them. */
const addressOf = (device: number, bridge: number): string => `10.${64 + bridge}.0.${device + 1}/24`

export function topologyFile(): string {
  const devices = Array.from({ length: DEVICES }, (_, device) => {
    const interfaces = bridgesOf(device).map((bridge, i) => `interface "em${i}" { bridge "b${bridge}"; };`)
    return `  vm "h${device}" { CENTOS_LATEST install "h${device}.conf" "/root/host.conf"; ${interfaces.join(' ')} };`
  })
  return `#include "common.defs"\nconfig "fifty" {\n${devices.join('\n')}\n};\n`
}

export const configurationOf = (device: number): string =>
  `interfaces:\n${bridgesOf(device)
    .map((bridge, i) => `  em${i}: { addresses: [${addressOf(device, bridge)}] }\n`)
    .join('')}`

/**
 * The same as people do it by hand: network namespaces, veth pairs and kernel bridges, a process in each. Says how long
 * it took in milliseconds, waits for a line, takes it down, and says that of it. In a mount namespace of its own.
 */
export function namespaceScript(): string {
  const lines = [
    'set -e',
    'now() { date +%s%3N; }',
    'mount -t tmpfs none /run/netns',
    'from=$(now)',
    ...Array.from(
      { length: BRIDGES },
      (_, bridge) => `ip link add b${bridge} type bridge; ip link set b${bridge} up`,
    ),
  ]
  for (let device = 0; device < DEVICES; device++) {
    lines.push(`ip netns add d${device}`)
    for (const [i, bridge] of bridgesOf(device).entries())
      lines.push(
        `ip link add v${device}x${i} type veth peer name em${i} netns d${device}`,
        `ip link set v${device}x${i} master b${bridge} up`,
        `ip -n d${device} address add ${addressOf(device, bridge)} dev em${i}`,
        `ip -n d${device} link set em${i} up`,
      )
    lines.push(`ip netns exec d${device} sleep infinity & pids="$pids $!"`)
  }
  lines.push(
    'echo started $(($(now) - from))',
    'read -r line',
    'from=$(now)',
    'kill $pids',
    ...Array.from({ length: DEVICES }, (_, device) => `ip netns delete d${device}`),
    ...Array.from({ length: BRIDGES }, (_, bridge) => `ip link delete b${bridge}`),
    'echo stopped $(($(now) - from))',
  )
  return lines.join('\n')
}

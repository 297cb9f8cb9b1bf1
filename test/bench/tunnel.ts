/** `npm run bench -- tunnel`: a lab PC and a host on the hub's switch, through a tunnel between two machines. */
import { main } from '#test/bench/bench.ts'
import { THROUGHPUT_COLUMNS, throughputOf } from '#test/bench/measure.ts'
import { measureMemory } from '#test/bench/memory.ts'
import { bulkTunnel, cipherNote, ourTunnel, webTunnel } from '#test/bench/ours.ts'
import { kernelBridge, sshTunnel, vdeOverSsh } from '#test/bench/peers.ts'

await main({
  name: 'tunnel',
  columns: THROUGHPUT_COLUMNS,
  candidates: [
    { name: 'kernel', title: 'kernel bridge', measure: throughputOf(kernelBridge) },
    { name: 'vde', title: 'VDE over SSH', measure: throughputOf(vdeOverSsh) },
    { name: 'ssh', title: 'ssh -w', measure: throughputOf(sshTunnel) },
    { name: 'ours', title: 'hybridge', measure: throughputOf(ourTunnel) },
    {
      name: 'bulk',
      title: 'hybridge --no-latency-control',
      measure: throughputOf(bulkTunnel),
    },
    { name: 'wss', title: 'hybridge through wss://', measure: throughputOf(webTunnel) },
  ],
  rules: [
    { kind: 'bar', figure: 'cubicGbps', of: 'ours', to: 'vde', least: 5 },
    { kind: 'aim', figure: 'cubicGbps', of: 'ours', to: 'vde', least: 8 },
    { kind: 'bar', figure: 'smallKpps', of: 'ours', to: 'vde', least: 4 },
    { kind: 'bar', figure: 'rttMs', of: 'ours', to: 'vde', most: 1 },
    { kind: 'aim', figure: 'rttMs', of: 'ours', to: 'ssh', most: 1 },
    { kind: 'bar', figure: 'cubicGbps', of: 'ours', to: 'bulk', least: 0.95 },
    // Half of 0.49 and 0.40 to 14.25 Gbit/s, of 26 and 46.5 to 142 kpps, measured with BBR.
    { kind: 'floor', figure: 'bbrGbps', of: 'vde', to: 'kernel', least: 0.017 },
    { kind: 'floor', figure: 'smallKpps', of: 'vde', to: 'kernel', least: 0.092 },
    { kind: 'floor', figure: 'bbrGbps', of: 'ssh', to: 'kernel', least: 0.014 },
    { kind: 'floor', figure: 'smallKpps', of: 'ssh', to: 'kernel', least: 0.164 },
  ],
  notes: [
    'kernel bridge: the two hosts on one bridge, without a tunnel; the limit of the machine.',
    'VDE over SSH: dpipe vde_plug = ssh vde_plug between two vde_switches, each with a TAP in a kernel bridge with the card.',
    'ssh -w: Tunnel=ethernet, its TAPs in kernel bridges with the cards.',
    cipherNote,
    'CPU: user and system time of all processes at site and hub while CUBIC ran.',
  ],
  memory: measureMemory,
})

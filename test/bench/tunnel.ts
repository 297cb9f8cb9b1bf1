/** `npm run bench -- tunnel`: a lab PC and a host on the hub's switch, through a tunnel between two machines. */
import { main } from '#test/bench/bench.ts'
import { measureMemory } from '#test/bench/memory.ts'
import { cipherNote, ourTunnel } from '#test/bench/ours.ts'
import { kernelBridge, sshTunnel, vdeOverSsh } from '#test/bench/peers.ts'

await main({
  name: 'tunnel',
  candidates: [
    { name: 'kernel', title: 'kernel bridge', build: kernelBridge },
    { name: 'vde', title: 'VDE over SSH', build: vdeOverSsh },
    { name: 'ssh', title: 'ssh -w', build: sshTunnel },
    { name: 'ours', title: 'hybridge', build: ourTunnel },
  ],
  rules: [
    { kind: 'bar', figure: 'cubicGbps', of: 'ours', to: 'vde', least: 5 },
    { kind: 'aim', figure: 'cubicGbps', of: 'ours', to: 'vde', least: 8 },
    { kind: 'bar', figure: 'smallKpps', of: 'ours', to: 'vde', least: 4 },
    { kind: 'bar', figure: 'rttMs', of: 'ours', to: 'vde', most: 1 },
    { kind: 'aim', figure: 'rttMs', of: 'ours', to: 'ssh', most: 1 },
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

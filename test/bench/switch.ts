/** `npm run bench -- switch`: one switch between two hosts. */
import { main } from '#test/bench/bench.ts'
import { THROUGHPUT_COLUMNS, throughputOf } from '#test/bench/measure.ts'
import { ourSwitch } from '#test/bench/ours.ts'
import { kernelBridge, vdeSwitch } from '#test/bench/peers.ts'

await main({
  name: 'switch',
  columns: THROUGHPUT_COLUMNS,
  candidates: [
    { name: 'kernel', title: 'kernel bridge', measure: throughputOf(kernelBridge) },
    { name: 'vde', title: 'vde_switch', measure: throughputOf(vdeSwitch) },
    { name: 'ours', title: 'hybridge', measure: throughputOf(ourSwitch) },
  ],
  rules: [
    { kind: 'bar', figure: 'bbrGbps', of: 'ours', to: 'vde', least: 8 },
    { kind: 'bar', figure: 'cubicGbps', of: 'ours', to: 'vde', least: 8 },
    { kind: 'bar', figure: 'bbrGbps', of: 'ours', to: 'kernel', least: 0.75 },
    // The reference ratios were measured with BBR; with CUBIC a kernel bridge, which copies nothing, is three times as fast.
    { kind: 'aim', figure: 'cubicGbps', of: 'ours', to: 'kernel', least: 0.75 },
    { kind: 'bar', figure: 'smallKpps', of: 'ours', to: 'vde', least: 1.3 },
    // Half of 1.0 to 14.25 Gbit/s and of 60 to 142 kpps, measured with BBR.
    { kind: 'floor', figure: 'bbrGbps', of: 'vde', to: 'kernel', least: 0.035 },
    { kind: 'floor', figure: 'smallKpps', of: 'vde', to: 'kernel', least: 0.21 },
  ],
  notes: [
    'vde_switch: TAPs of its own (-t), each in a kernel bridge with the card.',
    'Small frames: what the receiver counted; the sending host may be the limit.',
    'CPU: user and system time of the joining processes while CUBIC ran; the kernel bridge has none.',
  ],
})

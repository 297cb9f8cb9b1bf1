/**
 * What the VLANs of one switch carried: wire frames and octets without the FCS that it received and took, by VLAN key,
 * each once however many ports it went to. Memory grows with the keys in use: 16 octets while all is untagged, 64 KiB
 * once there are VLANs of TPID 0x8100, 256 KiB once there are others.
 */
import { addWire } from '#net/port/wire-count.ts'
import { VLAN_KEYS } from '#net/switch/vlan.ts'
import { float64 } from '#net/wire/octets.ts'
import { GSO_NONE, gsoType } from '#net/wire/virtio.ts'

const KEYS_OF_ONE_TPID = 1 << 12

export class VlanCounters {
  /** Frames at `2 * key`, octets behind them. */
  private counts = new Float64Array(2)

  /** Counts frame `b[start, end)`, with the tags that it came with. */
  count(key: number, b: Uint8Array, start: number, end: number): void {
    const counts = this.counts
    const i = 2 * key
    // What is rare is elsewhere, so that V8 inlines this.
    if (gsoType(b, start) !== GSO_NONE || i >= counts.length) this.countOther(key, b, start, end)
    else {
      counts[i] = float64(counts, i) + 1
      counts[i + 1] = float64(counts, i + 1) + end - start
    }
  }

  private countOther(key: number, b: Uint8Array, start: number, end: number): void {
    if (2 * key >= this.counts.length) this.grow(key)
    addWire(this.counts, 2 * key, b, start, end)
  }

  frames(key: number): number {
    return this.counts[2 * key] ?? 0
  }

  octets(key: number): number {
    return this.counts[2 * key + 1] ?? 0
  }

  reset(): void {
    this.counts.fill(0)
  }

  private grow(key: number): void {
    const counts = new Float64Array(2 * (key < KEYS_OF_ONE_TPID ? KEYS_OF_ONE_TPID : VLAN_KEYS))
    counts.set(this.counts)
    this.counts = counts
  }
}

/**
 * Filtering database of one switch (IEEE Std 802.1Q-2022 §8.8): which port an address was last seen on, per VLAN.
 *
 * Bounded: all memory is there from the start. Entries have an id and lie in two lists of their port, least recently
 * seen first: *tentative* (learnt, not seen again yet) and *stable* (seen again at least `CONFIRM_MS` later). A full
 * table makes room in this order, else the address is not learnt:
 *   1. the oldest tentative entry of the port that has most entries;
 *   2. the oldest tentative entry of the learner's port, once that port has its floor of entries;
 *   3. the least recently seen stable entry of the port that has most, if it has more than the learner's port.
 * So a flood of random sources replaces itself, and takes at most the floor from the stable addresses of others.
 *
 * Times are monotonic milliseconds. `learn` and `lookup` allocate nothing.
 */
import { u16, u32 } from '#net/wire/octets.ts'

export const DEFAULT_CAPACITY = 16_384
/** IEEE Std 802.1Q-2022 §8.8.3. */
export const DEFAULT_AGEING_MS = 300_000
/** An address seen again this long after it was learnt is stable; also how often a known entry is put in order. */
export const CONFIRM_MS = 1000
/** Share of the capacity that a port may always claim from the largest one: 1/256. */
const FLOOR_SHIFT = 8
const MAX_CAPACITY = 1 << 20

/** Element of a table; of one kind of array only, as a reader shared by several kinds is slow. */
const int = (table: Int32Array, i: number): number => table[i] ?? 0

/** Told of each entry that comes or goes; one that moves to another port does both. */
export interface MacWatcher {
  /** The address is `high` (16 bits) and `low` (32 bits): `addressText` writes it. @param vlan  VLAN key */
  learnt(high: number, low: number, vlan: number, port: number): void
  forgotten(high: number, low: number, vlan: number, port: number): void
}

export interface MacTableOptions {
  readonly capacity?: number
  readonly ageingMs?: number
  /** Ports are 1 to this. */
  readonly maxPort?: number
  /** Makes the hash repeatable, for tests. Left out, it is random: a LAN must not be able to choose collisions. */
  readonly seed?: number
}

/** One address, for people. */
export interface MacEntry {
  /** `02:00:00:00:00:01` */
  readonly address: string
  /** VLAN key: see `#net/switch/vlan.ts`. */
  readonly vlan: number
  readonly port: number
  readonly ageMs: number
  readonly stable: boolean
  /** Where the table looks for it first, 0 to `slotCount` - 1. */
  readonly slot: number
}

export class MacTable {
  readonly capacity: number
  ageingMs: number
  size = 0
  /** Addresses not learnt as the table was full. */
  refused = 0.5
  /** Entries that gave way to others. */
  evicted = 0.5
  watcher: MacWatcher | null = null

  // Entries by id, 1 to capacity; 0 means none. Keys: address octets 0-1 and VLAN, address octets 2-5.
  private readonly high: Int32Array
  private readonly low: Int32Array
  private readonly hashes: Int32Array
  private readonly ports: Int32Array
  private readonly seen: Float64Array
  private readonly stable: Int32Array
  private readonly next: Int32Array
  private readonly previous: Int32Array
  private free = 1

  /** Open addressing, linear probing: ids, at most half full. */
  private readonly slots: Int32Array
  private readonly mask: number
  /** Tabulation hashing: one table of 256 random words for each octet of the key. */
  private readonly words: Int32Array

  // Lists: index 2 * port is tentative, 2 * port + 1 stable.
  private readonly heads: Int32Array
  private readonly tails: Int32Array
  private readonly counts: Int32Array
  private readonly maxPort: number
  /** No higher port has learnt anything. */
  private topPort = 0
  private readonly floor: number

  constructor(options: MacTableOptions = {}) {
    const capacity = options.capacity ?? DEFAULT_CAPACITY
    if (!Number.isInteger(capacity) || capacity < 1 || capacity > MAX_CAPACITY) {
      throw new RangeError(`a MAC table holds 1 to ${MAX_CAPACITY} addresses, not ${capacity}`)
    }
    this.capacity = capacity
    this.ageingMs = options.ageingMs ?? DEFAULT_AGEING_MS
    this.maxPort = options.maxPort ?? 1024
    this.floor = capacity >> FLOOR_SHIFT
    this.refused = 0
    this.evicted = 0

    const ids = capacity + 1
    this.high = new Int32Array(ids)
    this.low = new Int32Array(ids)
    this.hashes = new Int32Array(ids)
    this.ports = new Int32Array(ids)
    this.seen = new Float64Array(ids)
    this.stable = new Int32Array(ids)
    this.next = new Int32Array(ids)
    this.previous = new Int32Array(ids)
    for (let id = 1; id < capacity; id++) this.next[id] = id + 1

    let slots = 2
    while (slots < 2 * capacity) slots *= 2
    this.slots = new Int32Array(slots)
    this.mask = slots - 1
    this.words = randomWords(8 * 256, options.seed)

    this.heads = new Int32Array(2 * (this.maxPort + 1))
    this.tails = new Int32Array(2 * (this.maxPort + 1))
    this.counts = new Int32Array(this.maxPort + 1)
  }

  /**
   * Notes that the address at `b[i, i + 6)` is on `port` in `vlan`: learns, refreshes or moves it. A group address is
   * never learnt.
   * @returns the port that it was on until now, 0 when it has not moved
   */
  learn(b: Uint8Array, i: number, vlan: number, port: number, now: number): number {
    const first = u16(b, i)
    if ((first & 0x100) !== 0) return 0
    const high = (first << 16) | vlan
    const low = u32(b, i + 2) | 0
    const hash = this.hash(high, low)
    const id = this.find(high, low, hash)
    if (id === 0) this.insert(high, low, hash, port, now)
    else if (int(this.ports, id) !== port) {
      const before = int(this.ports, id)
      this.move(id, port, now)
      return before
    } else if (now - (this.seen[id] ?? 0) >= CONFIRM_MS) {
      this.unlink(id)
      this.link(id, port, 1, now)
    }
    return 0
  }

  /** Port of the address at `b[i, i + 6)` in `vlan`, 0 when unknown. */
  lookup(b: Uint8Array, i: number, vlan: number): number {
    const high = (u16(b, i) << 16) | vlan
    const low = u32(b, i + 2) | 0
    // Entry 0 has port 0.
    return int(this.ports, this.find(high, low, this.hash(high, low)))
  }

  get slotCount(): number {
    return this.mask + 1
  }

  /** Entries of one port. */
  count(port: number): number {
    return int(this.counts, port)
  }

  /** Entries of each VLAN key that has any. */
  countByVlan(): Map<number, number> {
    const counts = new Map<number, number>()
    for (let list = 2; list <= 2 * this.topPort + 1; list++) {
      for (let id = int(this.heads, list); id !== 0; id = int(this.next, id)) {
        const vlan = int(this.high, id) & 0xffff
        counts.set(vlan, (counts.get(vlan) ?? 0) + 1)
      }
    }
    return counts
  }

  /** Forgets everything learnt on `port`. @returns entries removed. */
  flushPort(port: number): number {
    const before = this.size
    for (let list = 2 * port; list <= 2 * port + 1; list++) {
      for (let id = int(this.heads, list); id !== 0; id = int(this.heads, list)) this.remove(id)
    }
    return before - this.size
  }

  clear(): void {
    for (let port = 1; port <= this.topPort; port++) this.flushPort(port)
  }

  /**
   * Ages out entries not seen for `ageingMs`, at most `limit` of them.
   * @returns entries removed; `limit` means that there may be more.
   */
  age(now: number, limit: number): number {
    let removed = 0
    for (let list = 2; list <= 2 * this.topPort + 1; list++) {
      let id = int(this.heads, list)
      while (id !== 0 && now - (this.seen[id] ?? 0) >= this.ageingMs) {
        if (removed === limit) return removed
        this.remove(id)
        removed++
        id = int(this.heads, list)
      }
    }
    return removed
  }

  /** A copy of the entries for people and machines, port by port, longest unseen first. */
  entries(now: number): MacEntry[] {
    const out: MacEntry[] = []
    for (let list = 2; list <= 2 * this.topPort + 1; list++) {
      for (let id = int(this.heads, list); id !== 0; id = int(this.next, id)) {
        out.push({
          address: addressText(int(this.high, id) >>> 16, int(this.low, id) >>> 0),
          vlan: int(this.high, id) & 0xffff,
          port: int(this.ports, id),
          ageMs: Math.max(0, now - (this.seen[id] ?? 0)),
          stable: int(this.stable, id) === 1,
          slot: int(this.hashes, id) & this.mask,
        })
      }
    }
    return out
  }

  private hash(high: number, low: number): number {
    const w = this.words
    return (
      int(w, high & 255) ^
      int(w, 256 | ((high >>> 8) & 255)) ^
      int(w, 512 | ((high >>> 16) & 255)) ^
      int(w, 768 | (high >>> 24)) ^
      int(w, 1024 | (low & 255)) ^
      int(w, 1280 | ((low >>> 8) & 255)) ^
      int(w, 1536 | ((low >>> 16) & 255)) ^
      int(w, 1792 | (low >>> 24))
    )
  }

  private find(high: number, low: number, hash: number): number {
    let slot = hash & this.mask
    let id = int(this.slots, slot)
    while (id !== 0 && (int(this.low, id) !== low || int(this.high, id) !== high)) {
      slot = (slot + 1) & this.mask
      id = int(this.slots, slot)
    }
    return id
  }

  private insert(high: number, low: number, hash: number, port: number, now: number): void {
    if (this.free === 0 && !this.makeRoom(port)) {
      this.refused++
      return
    }
    const id = this.free
    this.free = int(this.next, id)
    this.high[id] = high
    this.low[id] = low
    this.hashes[id] = hash
    let slot = hash & this.mask
    while (int(this.slots, slot) !== 0) slot = (slot + 1) & this.mask
    this.slots[slot] = id
    this.size++
    this.link(id, port, 0, now)
    this.watcher?.learnt(high >>> 16, low >>> 0, high & 0xffff, port)
  }

  private move(id: number, port: number, now: number): void {
    if (this.watcher !== null) this.tellForgotten(this.watcher, id)
    this.unlink(id)
    this.link(id, port, 0, now)
    const high = int(this.high, id)
    this.watcher?.learnt(high >>> 16, int(this.low, id) >>> 0, high & 0xffff, port)
  }

  private tellForgotten(watcher: MacWatcher, id: number): void {
    const high = int(this.high, id)
    watcher.forgotten(high >>> 16, int(this.low, id) >>> 0, high & 0xffff, int(this.ports, id))
  }

  private makeRoom(learner: number): boolean {
    let largest = 0
    for (let port = 1; port <= this.topPort; port++) {
      if (int(this.counts, port) > int(this.counts, largest)) largest = port
    }
    let id = int(this.heads, 2 * largest)
    if (id === 0 && int(this.counts, learner) > this.floor) id = int(this.heads, 2 * learner)
    if (id === 0 && int(this.counts, largest) > int(this.counts, learner))
      id = int(this.heads, 2 * largest + 1)
    if (id === 0) return false
    this.remove(id)
    this.evicted++
    return true
  }

  private remove(id: number): void {
    if (this.watcher !== null) this.tellForgotten(this.watcher, id)
    this.unlink(id)
    let hole = int(this.hashes, id) & this.mask
    while (int(this.slots, hole) !== id) hole = (hole + 1) & this.mask
    // Close the gap: move back whatever probed past it (Knuth 6.4, algorithm R).
    let slot = hole
    for (;;) {
      slot = (slot + 1) & this.mask
      const other = int(this.slots, slot)
      if (other === 0) break
      const home = int(this.hashes, other) & this.mask
      if (((slot - home) & this.mask) >= ((slot - hole) & this.mask)) {
        this.slots[hole] = other
        hole = slot
      }
    }
    this.slots[hole] = 0
    this.ports[id] = 0
    this.next[id] = this.free
    this.free = id
    this.size--
  }

  /** Puts an entry at the recent end of its port's list. */
  private link(id: number, port: number, stable: number, now: number): void {
    const list = 2 * port + stable
    const tail = int(this.tails, list)
    if (port > this.topPort) this.topPort = port
    this.ports[id] = port
    this.stable[id] = stable
    this.seen[id] = now
    this.next[id] = 0
    this.previous[id] = tail
    if (tail === 0) this.heads[list] = id
    else this.next[tail] = id
    this.tails[list] = id
    this.counts[port] = int(this.counts, port) + 1
  }

  private unlink(id: number): void {
    const port = int(this.ports, id)
    const list = 2 * port + int(this.stable, id)
    const next = int(this.next, id)
    const previous = int(this.previous, id)
    if (previous === 0) this.heads[list] = next
    else this.next[previous] = next
    if (next === 0) this.tails[list] = previous
    else this.previous[next] = previous
    this.counts[port] = int(this.counts, port) - 1
  }
}

function randomWords(count: number, seed: number | undefined): Int32Array {
  const words = new Int32Array(count)
  if (seed === undefined) return crypto.getRandomValues(words)
  let state = seed | 0
  for (let i = 0; i < count; i++) {
    // splitmix32
    state = (state + 0x9e3779b9) | 0
    let z = Math.imul(state ^ (state >>> 16), 0x21f0aaad)
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
    words[i] = z ^ (z >>> 15)
  }
  return words
}

/** `02:00:00:00:00:01` of its first 16 and last 32 bits. */
export function addressText(high: number, low: number): string {
  const digits = high.toString(16).padStart(4, '0') + low.toString(16).padStart(8, '0')
  return digits.replaceAll(/..(?=.)/g, '$&:')
}

/**
 * Loop protection: finds out from addresses that move which port leads back into the switch.
 *
 * A host that roams, a virtual machine that migrates, a router that takes an address over: each sends frames of its
 * own from where it is now. In a loop it is the *same* frame that comes in again, at another port, and takes its
 * sender's address there. So what counts is a frame to many that moves its source to a port within the second in which
 * it moved it to another one; `MOVES` of them between two ports in a second are a loop. A frame counts once for each
 * time round: in a loop of two ports they come in thousands a second, behind a port that is joined to itself as often
 * as hosts send to all. Pure, bounded, and nothing is allocated per frame.
 */
import { isTpid, TAG_LEN } from '#net/wire/ethernet.ts'
import { u32, u8 } from '#net/wire/octets.ts'

/** Far more than two wrong moves, which a reordered or doubled frame makes, and few enough for a quiet LAN. */
const MOVES = 10
/** Frames remembered, by hash: of a storm of more some are still recognised, and that is enough. */
const SLOTS = 1024
/** Pairs of ports that are counted in one second. */
const MAX_PAIRS = 1024
const ADDRESSES = 12
/** Octets behind addresses and tags that tell frames apart: all of a frame that no offload made. */
const LOOKED_AT = 1504

export class LoopGuard {
  /** Hash of a frame, and the port to which it moved its source. */
  private readonly hashes = new Int32Array(SLOTS)
  private readonly ports = new Uint16Array(SLOTS)
  /** By pair of ports, lower number first: frames that came round. */
  private readonly pairs = new Map<number, number>()

  /**
   * Frame `b[start, end)`, of at least 14 octets, moved its source from port `before` to `port`, and goes to many.
   * @returns true when the port leads back into the switch, together with `before` or by itself
   */
  moved(b: Uint8Array, start: number, end: number, before: number, port: number): boolean {
    const hash = hashOf(b, start, end)
    const slot = hash & (SLOTS - 1)
    const isBack = this.hashes[slot] === hash && this.ports[slot] !== port && this.ports[slot] !== 0
    this.hashes[slot] = hash
    // Forgotten when it came round: a host that says the same again has not moved back by that.
    this.ports[slot] = isBack ? 0 : port
    if (!isBack) return false
    const pair = before < port ? (before << 16) | port : (port << 16) | before
    const count = (this.pairs.get(pair) ?? 0) + 1
    if (count > 1 || this.pairs.size < MAX_PAIRS) this.pairs.set(pair, count)
    return count >= MOVES
  }

  /** A new second. */
  tick(): void {
    this.pairs.clear()
    this.ports.fill(0)
  }
}

/** FNV-1a, by words, of addresses and what follows, tags left out: a loop may change them. */
function hashOf(b: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5 | 0
  for (let i = start; i < start + ADDRESSES; i += 4) hash = Math.imul(hash ^ u32(b, i), 0x01000193)
  let at = start + ADDRESSES
  while (end - at >= TAG_LEN + 2 && isTpid((u8(b, at) << 8) | u8(b, at + 1))) at += TAG_LEN
  const until = Math.min(end, at + LOOKED_AT)
  for (; at + 4 <= until; at += 4) {
    hash = Math.imul(hash ^ u32(b, at), 0x01000193)
    // Upper bits reach the lower ones by this alone.
    hash ^= hash >>> 15
  }
  for (; at < until; at++) hash = Math.imul(hash ^ u8(b, at), 0x01000193)
  return hash ^ (hash >>> 15)
}

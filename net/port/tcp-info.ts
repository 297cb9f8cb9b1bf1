/** What Linux tells of a TCP connection: struct tcp_info, linux/tcp.h; tcp(7). */
import type { Socket } from 'node:net'
import { isRecord } from '#net/base/unknown.ts'
import { hasLibc } from '#net/port/c-library.ts'
import * as libc from '#net/port/libc.ts'
import { u32le } from '#net/wire/octets.ts'

const IPPROTO_TCP = 6
const TCP_INFO = 11
const SPACE = 256

const RETRANSMITS = 2
const UNACKED = 24
const LAST_ACK_RECEIVED = 56
const RTT = 68
const BYTES_ACKED = 120
const BYTES_RECEIVED = 128
const MIN_RTT = 148
const OUT_OF_ORDER = 224
/** Up to the field before; those of Linux before 5.4 have no number of segments out of order. */
const LEAST_LENGTH = 152

/** Read anew by `read`; the same object each time, so that nothing is allocated. */
export class TcpInfo {
  readonly #info = new Uint8Array(SPACE)
  readonly #length = libc.intOctets(SPACE)

  /** @returns false where the system does not tell: no TCP, or not Linux */
  read(fd: number): boolean {
    if (!hasLibc || fd < 0) return false
    this.#length[0] = SPACE & 0xff
    this.#length[1] = SPACE >> 8
    if (libc.getsockopt(fd, IPPROTO_TCP, TCP_INFO, this.#info, this.#length) < 0) return false
    return u32le(this.#length, 0) >= LEAST_LENGTH
  }

  /** Times that the same segment was sent again. */
  get retransmits(): number {
    return this.#info[RETRANSMITS] ?? 0
  }

  /** Segments under way. */
  get unacked(): number {
    return u32le(this.#info, UNACKED)
  }

  /** Since an acknowledgement came, a repeated one too. */
  get lastAckMs(): number {
    return u32le(this.#info, LAST_ACK_RECEIVED)
  }

  get roundTripMs(): number {
    return u32le(this.#info, RTT) / 1000
  }

  get leastRoundTripMs(): number {
    return u32le(this.#info, MIN_RTT) / 1000
  }

  /** Octets that the far side's system has acknowledged. */
  get ackedOctets(): number {
    return u32le(this.#info, BYTES_ACKED) + u32le(this.#info, BYTES_ACKED + 4) * 0x1_0000_0000
  }

  /** Octets that arrived in order. */
  get receivedOctets(): number {
    return u32le(this.#info, BYTES_RECEIVED) + u32le(this.#info, BYTES_RECEIVED + 4) * 0x1_0000_0000
  }

  /** Segments that arrived out of order: one before them was lost. */
  get outOfOrder(): number {
    return u32le(this.#info, OUT_OF_ORDER)
  }
}

/** Node keeps the descriptor in the handle under the socket; -1 when there is none. */
export function descriptorOf(socket: Socket): number {
  if (!hasLibc) return -1
  const handle: unknown = Reflect.get(socket, '_handle')
  const fd: unknown = isRecord(handle) ? Reflect.get(handle, 'fd') : undefined
  return typeof fd === 'number' ? fd : -1
}

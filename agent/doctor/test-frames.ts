/**
 * Frames of our own, of the EtherType for local experiments (IEEE Std 802 clause 9.2.4), to see what passes an interface:
 *
 *   1  to all, from its own address: who of this machine's other interfaces hears it is its peer
 *   2  from and to addresses that nobody has: does the peer hear it
 *   3  the same back, from the peer
 *
 * The third one is sent by a peer that was found only. All sockets are promiscuous while this lasts, 1.5 s at most.
 */
import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'

import type { PromiscuousFacts } from '#agent/doctor/promiscuous.ts'
import { hasCarrier } from '#net/port/nic/ethtool.ts'
import { readLinks } from '#net/port/nic/link-table.ts'
import { isEthernet, isLinkUp, linkAddress } from '#net/port/nic/link.ts'
import { openPacketSocket } from '#net/port/nic/packet-socket.ts'
import * as libc from '#net/port/libc.ts'
import { putU16, u16, u8 } from '#net/wire/octets.ts'
import { VIRTIO_HEADER_LEN } from '#net/wire/virtio.ts'

const EXPERIMENT = 0x88b5
const LENGTH = 60
const MAX_OTHERS = 16
const POLL_MS = 10
/** For one frame to arrive. */
const PATIENCE_MS = 400
/** Read in one go from a busy interface. */
const MAX_READS = 512

/** @param name  by no other name of it @throws SystemError when it may not be opened */
export async function tryPromiscuous(name: string): Promise<PromiscuousFacts> {
  const address = linkAddress(name)
  const nothing = {
    name,
    address,
    peer: undefined,
    hasHeardForeign: false,
    hasSentForeign: false,
    hasReceivedForeign: false,
  }
  if (!isUsable(name)) return { isUsable: false, ...nothing }
  const own = new Listener(name)
  const others: Listener[] = []
  try {
    for (const other of othersThan(name)) others.push(...tryListen(other))
    const peer = await findPeer(own, others)
    let hasSentForeign = false
    let hasReceivedForeign = false
    if (peer !== undefined) {
      hasSentForeign = (await passes(own, [peer], localAddress(), localAddress())) !== undefined
      hasReceivedForeign = (await passes(peer, [own], localAddress(), localAddress())) !== undefined
    } else await pause(PATIENCE_MS)
    own.read()
    const { hasHeardForeign } = own
    return {
      ...nothing,
      isUsable: true,
      peer: peer?.name,
      hasHeardForeign,
      hasSentForeign,
      hasReceivedForeign,
    }
  } finally {
    for (const one of [own, ...others]) one.close()
  }
}

function isUsable(name: string): boolean {
  try {
    return isEthernet(name) && isLinkUp(name) && hasCarrier(name)
  } catch {
    return false
  }
}

const othersThan = (name: string): string[] =>
  readLinks()
    .map((link) => link.name)
    .filter((other) => other !== name && isUsable(other))
    .slice(0, MAX_OTHERS)

/** Another interface that may not be opened is none that hears. */
function tryListen(name: string): Listener[] {
  try {
    return [new Listener(name)]
  } catch {
    return []
  }
}

const findPeer = (own: Listener, others: readonly Listener[]): Promise<Listener | undefined> =>
  passes(own, others, Uint8Array.of(255, 255, 255, 255, 255, 255), own.address)

/** The first of `to` that hears a frame of `from`; undefined: none does in time. */
async function passes(
  from: Listener,
  to: readonly Listener[],
  destination: Uint8Array,
  source: Uint8Array,
): Promise<Listener | undefined> {
  const token = randomBytes(16)
  from.send(destination, source, token)
  const deadline = performance.now() + PATIENCE_MS
  while (performance.now() < deadline) {
    const heard = to.find((one) => one.hears(token))
    if (heard !== undefined) return heard
    from.read()
    await pause(POLL_MS)
  }
  return undefined
}

/** Unicast, locally administered: an address that nobody has. */
function localAddress(): Uint8Array {
  const octets = new Uint8Array(randomBytes(6))
  octets[0] = 0x02
  return octets
}

/** An interface heard and spoken on as long as the test lasts. */
class Listener {
  readonly name: string
  readonly address: Uint8Array
  /** A frame came for an address that is not its own, and not one of ours. */
  hasHeardForeign = false
  readonly #fd: number
  readonly #buffer = new Uint8Array(2048)
  readonly #heard = new Set<string>()

  /** @throws SystemError */
  constructor(name: string) {
    this.name = name
    this.address = Uint8Array.from(linkAddress(name).split(':'), (octet) => Number.parseInt(octet, 16))
    this.#fd = openPacketSocket(name).fd
  }

  send(destination: Uint8Array, source: Uint8Array, token: Uint8Array): void {
    const frame = new Uint8Array(VIRTIO_HEADER_LEN + LENGTH)
    frame.set(destination, VIRTIO_HEADER_LEN)
    frame.set(source, VIRTIO_HEADER_LEN + 6)
    putU16(frame, VIRTIO_HEADER_LEN + 12, EXPERIMENT)
    frame.set(token, VIRTIO_HEADER_LEN + 14)
    libc.sendBuffer(this.#fd, frame, frame.length, 0)
  }

  hears(token: Uint8Array): boolean {
    this.read()
    return this.#heard.has(Buffer.from(token).toString('hex'))
  }

  read(): void {
    for (let i = 0; i < MAX_READS; i++) {
      const length = libc.recvBuffer(this.#fd, this.#buffer, this.#buffer.length, libc.MSG_DONTWAIT)
      if (length < VIRTIO_HEADER_LEN + 14) return
      this.#look(this.#buffer.subarray(VIRTIO_HEADER_LEN, length))
    }
  }

  close(): void {
    libc.close(this.#fd)
  }

  #look(frame: Uint8Array): void {
    if (u16(frame, 12) === EXPERIMENT) {
      if (this.#heard.size < MAX_READS) this.#heard.add(Buffer.from(frame.subarray(14, 30)).toString('hex'))
      return
    }
    const isUnicast = (u8(frame, 0) & 1) === 0
    if (isUnicast && Buffer.compare(frame.subarray(0, 6), this.address) !== 0) this.hasHeardForeign = true
  }
}

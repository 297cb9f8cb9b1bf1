/** A packet socket that hears what DHCP servers send to one interface, which needs no address for it. */
import { attachFilter } from '#net/port/nic/packet-socket.ts'
import {
  AND,
  BpfAssembler,
  JUMP_ANY_BIT,
  JUMP_EQUAL,
  LOAD_HALF_X,
  LOAD_OCTET_X,
  LOAD_WORD,
  LOAD_X_CONSTANT,
  RETURN,
  SHIFT_LEFT,
  TO_X,
} from '#net/port/nic/bpf.ts'
import * as libc from '#net/port/libc.ts'
import { linkError, linkIndex } from '#net/port/nic/link.ts'
import { READABLE, Watcher } from '#net/port/reactor.ts'
import { DHCP_CLIENT_PORT } from '#net/wire/dhcp-frame.ts'
import { ETHERTYPE_IPV4, HEADER_LEN } from '#net/wire/ethernet.ts'
import { IPV4_FRAGMENT, IPV4_PROTOCOL, PROTOCOL_UDP } from '#net/wire/ipv4.ts'
import { putU16, putU16le, putU32le } from '#net/wire/octets.ts'

const SOCKADDR_LL = 20
/** Longer answers are none that a client asks for. */
const MAX_FRAME = 2048
/** Read before others have their turn. */
const AT_ONCE = 16
const OFFSET = 0x1fff
/** linux/filter.h: SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT */
const HAS_TAG = 0xfffff030

export class DhcpSocket {
  readonly #fd: number
  readonly #watcher: Watcher
  readonly #octets = new Uint8Array(MAX_FRAME)

  /** @param onFrame  the octets are lent until it returns @throws SystemError */
  constructor(name: string, onFrame: (b: Uint8Array, end: number) => void) {
    this.#fd = open(name)
    this.#watcher = new Watcher(this.#fd, (_events, failed) => {
      for (let i = 0; i < AT_ONCE; i++) {
        const length = libc.recvBuffer(this.#fd, this.#octets, MAX_FRAME, libc.MSG_DONTWAIT)
        if (length <= 0) break
        onFrame(this.#octets, length)
      }
      // The interface went down (ENETDOWN), which is told elsewhere.
      if (failed) this.#watcher.watch(READABLE)
    })
    this.#watcher.watch(READABLE)
  }

  /** A frame that does not get out is sent again. */
  send(frame: Uint8Array): void {
    libc.sendBuffer(this.#fd, frame, frame.length, libc.MSG_DONTWAIT)
  }

  close(): void {
    this.#watcher.close(() => libc.close(this.#fd))
  }
}

function open(name: string): number {
  const what = `cannot open ${name} for DHCP`
  const index = linkIndex(name)
  if (index === 0) throw linkError(what)
  // Protocol 0: nothing arrives before the filter is there.
  const fd = libc.socket(libc.AF_PACKET, libc.SOCK_RAW | libc.SOCK_NONBLOCK | libc.SOCK_CLOEXEC, 0)
  if (fd < 0) throw linkError(what)
  try {
    attachFilter(fd, filter(), name)
    const address = new Uint8Array(SOCKADDR_LL)
    putU16le(address, 0, libc.AF_PACKET)
    putU16(address, 2, ETHERTYPE_IPV4)
    putU32le(address, 4, index)
    if (libc.bind(fd, address, SOCKADDR_LL) < 0) throw linkError(what)
  } catch (error) {
    libc.close(fd)
    throw error
  }
  return fd
}

/** Untagged UDP to the client's port, whole or the first fragment. */
function filter(): Uint8Array {
  const program = new BpfAssembler()
  const drop = program.label()
  program.add(LOAD_WORD, HAS_TAG)
  program.test(JUMP_EQUAL, 0, { no: drop })
  program.add(LOAD_X_CONSTANT, HEADER_LEN)
  program.add(LOAD_OCTET_X, IPV4_PROTOCOL)
  program.test(JUMP_EQUAL, PROTOCOL_UDP, { no: drop })
  program.add(LOAD_HALF_X, IPV4_FRAGMENT)
  program.test(JUMP_ANY_BIT, OFFSET, { yes: drop })
  program.add(LOAD_OCTET_X, 0)
  program.add(AND, 0x0f)
  program.add(SHIFT_LEFT, 2)
  program.add(TO_X)
  program.add(LOAD_HALF_X, HEADER_LEN + 2)
  program.test(JUMP_EQUAL, DHCP_CLIENT_PORT, { no: drop })
  program.add(RETURN, MAX_FRAME)
  program.place(drop)
  program.add(RETURN, 0)
  return program.assemble()
}

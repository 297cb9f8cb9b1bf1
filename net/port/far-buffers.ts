/**
 * Socket buffers of TCP for far paths, Linux tcp(7), socket(7). The system's own grow with a connection, up to the last
 * number of net.ipv4.tcp_wmem (mostly 4 MiB: 300 Mbit/s over 100 ms) and of net.ipv4.tcp_rmem. Larger ones take
 * CAP_NET_ADMIN. Elsewhere nothing is set.
 */
import { readFileSync } from 'node:fs'
import { hasLibc } from '#net/port/c-library.ts'
import * as libc from '#net/port/libc.ts'
import { openTcpSocket } from '#net/port/tcp.ts'
import type { BufferLimits } from '#net/tunnel/buffer-bound.ts'

const IPPROTO_TCP = 6
const TCP_NOTSENT_LOWAT = 25
/** 1.3 Gbit/s over 200 ms: as much as the window of SSH. */
const MOST_UNDER_WAY = 32 << 20
const MOST_UNSENT = 1 << 20
/** Of a receive buffer; the rest is for what the kernel keeps beside the octets (tcp_adv_win_scale). */
const WINDOW_SHARE = 0.5

/** The kernel takes it twice, for what it needs itself. @returns false where it refuses */
const force = (fd: number, option: number): boolean =>
  hasLibc && libc.setsockopt(fd, libc.SOL_SOCKET, option, libc.intOctets(MOST_UNDER_WAY), 4) === 0

/**
 * Lets a connection, or those that a listening socket will accept, have as much under way as a far path takes. The kernel
 * keeps no more than 1 MiB that is not sent yet, so what a far side holds up is little.
 * @returns false where the system refuses
 */
export function allowFarSending(fd: number): boolean {
  if (!force(fd, libc.SO_SNDBUFFORCE)) return false
  return libc.setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, libc.intOctets(MOST_UNSENT), 4) === 0
}

/**
 * The same of what the far side may have under way to here, where the system would not come to it by itself (before Linux
 * 6.16). It ends the system's own choice of a size. To be called before `connect`: the scale of the window is settled in
 * the SYN, and one that fits 6 MiB stops at 8. Not for a socket that listens, as strangers would then fill as much.
 * @returns it is done
 */
export const allowFarReceiving = (fd: number): boolean =>
  hasLibc && mostOf('tcp_rmem') < MOST_UNDER_WAY && force(fd, libc.SO_RCVBUFFORCE)

/** Of a connection that this process begins, or of one that it accepts, with what is set above. */
export function bufferLimits(whose: 'begun' | 'accepted'): BufferLimits {
  const probe = openTcpSocket(4)
  const isSendingFree = probe >= 0 && force(probe, libc.SO_SNDBUFFORCE)
  const isReceivingFree = probe >= 0 && whose === 'begun' && allowFarReceiving(probe)
  if (probe >= 0) libc.close(probe)
  return {
    sendOctets: isSendingFree ? Infinity : mostOf('tcp_wmem'),
    receiveOctets: isReceivingFree ? Infinity : Math.floor(mostOf('tcp_rmem') * WINDOW_SHARE),
  }
}

/** The last of the three numbers; Infinity where there are none. */
function mostOf(setting: 'tcp_rmem' | 'tcp_wmem'): number {
  try {
    return Number(readFileSync(`/proc/sys/net/ipv4/${setting}`, 'utf8').trim().split(/\s+/)[2]) || Infinity
  } catch {
    return Infinity
  }
}

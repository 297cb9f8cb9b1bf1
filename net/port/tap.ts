/** Port kind `tap`: a TAP interface that the port creates in this network namespace, and watches. It goes with the port. */
import { reasonOf } from '#net/base/errors.ts'
import type { PortCounters } from '#net/port/counters.ts'
import * as libc from '#net/port/libc.ts'
import { isLinkUp, linkIndex, linkMtu, setLinkMtu, setLinkUp } from '#net/port/nic/link.ts'
import { watchLinks } from '#net/port/nic/link-watch.ts'
import { MAX_WIRE_FRAME, type FrameSink, type Port } from '#net/port/port.ts'
import { openTapDevice } from '#net/port/tap-device.ts'
import { TapPort } from '#net/port/tap-port.ts'

const ETHERNET = 14

export interface TapOptions {
  /** Name of the interface to create: `lab0`. */
  readonly interface: string
  /** Default: what frames of 9216 octets need. */
  readonly mtu?: number
  readonly counters: PortCounters
  readonly sink: FrameSink
}

/** @throws SystemError when the interface cannot be made */
export function openTap(options: TapOptions): Port {
  const { interface: name, mtu = MAX_WIRE_FRAME, counters, sink } = options
  const fd = openTapDevice(name)
  try {
    setLinkMtu(name, mtu)
    setLinkUp(name, true)
    const maxFrame = linkMtu(name) + ETHERNET
    const onClose = watchLinks(() => followLink(name, port))
    const port = new TapPort({ name: `tap:${name}`, fd, maxFrame, counters, sink, onClose })
    followLink(name, port)
    return port
  } catch (error) {
    libc.close(fd)
    throw error
  }
}

function followLink(name: string, port: TapPort): void {
  let up = false
  let why = 'interface is gone'
  try {
    if (linkIndex(name) !== 0) {
      up = isLinkUp(name)
      why = up ? 'interface is up' : 'interface is down'
      port.maxFrame = linkMtu(name) + ETHERNET
    }
  } catch (error) {
    why = reasonOf(error)
  }
  port.setState(up, why)
}

/** What a bridged interface needs changed: up, an MTU that lets tagged and jumbo frames pass, offloads that a packet
 * socket can express. Remembers what it changed and puts it back. */
import { release } from 'node:os'
import { reasonOf } from '#net/base/errors.ts'
import { activeFeatures, isLinkUp, linkMtu, setFeatures, setLinkMtu, setLinkUp } from '#net/port/link.ts'
import { MAX_WIRE_FRAME } from '#net/port/port.ts'

/** 1500 octets of payload under four tags. */
const LEAST_MTU = 1500 + 4 * 4
/** Tried in turn, as drivers differ in what they take. */
const MTU_STEPS = [MAX_WIRE_FRAME, 9202, 9000, 4000, 2000, LEAST_MTU]

/** Merges received segments in ways that a virtio header cannot tell: large receive offload. */
const UNWANTED = ['rx-lro', 'rx-gro-list']
/** Before Linux 6.2 packet sockets answer EINVAL to UDP super-frames. */
const UNWANTED_BEFORE_6_2 = ['rx-udp-gro-forwarding', 'tx-udp-segmentation']

export class NicSettings {
  readonly #name: string
  readonly #mtu: number | undefined
  readonly #warn: (text: string) => void
  #mtuBefore = 0
  #mtuSet = 0
  #broughtUp = false
  #featuresOff: string[] = []

  /** @param mtu  the MTU to raise to; undefined: the most that the product carries, as far as the driver goes */
  constructor(name: string, mtu: number | undefined, warn: (text: string) => void) {
    this.#name = name
    this.#mtu = mtu
    this.#warn = warn
  }

  /** Changes what must change. @throws SystemError when the interface cannot be brought up */
  apply(): void {
    this.#raiseMtu()
    this.#switchOffloadsOff()
    if (!isLinkUp(this.#name)) {
      setLinkUp(this.#name, true)
      this.#broughtUp = true
    }
  }

  /** Puts back what `apply` changed and nobody else has changed since. Never throws: the interface may be gone. */
  restore(): void {
    this.#quietly(() => {
      if (this.#broughtUp) setLinkUp(this.#name, false)
    })
    this.#quietly(() => {
      if (this.#featuresOff.length > 0) setFeatures(this.#name, this.#featuresOff, true)
    })
    this.#quietly(() => {
      if (this.#mtuSet > 0 && linkMtu(this.#name) === this.#mtuSet) setLinkMtu(this.#name, this.#mtuBefore)
    })
    this.forget()
  }

  /** The interface is another one now: nothing is left to restore. */
  forget(): void {
    this.#mtuSet = 0
    this.#broughtUp = false
    this.#featuresOff = []
  }

  #raiseMtu(): void {
    const before = linkMtu(this.#name)
    for (const mtu of this.#mtu === undefined ? MTU_STEPS : [this.#mtu]) {
      if (mtu <= before) return
      try {
        setLinkMtu(this.#name, mtu)
        this.#mtuBefore = before
        this.#mtuSet = mtu
        return
      } catch (error) {
        if (mtu > LEAST_MTU && this.#mtu === undefined) continue
        this.#warn(
          `${this.#name} keeps its MTU of ${before}: frames over ${before + 14} octets do not pass ` +
            `(${reasonOf(error)})`,
        )
      }
    }
  }

  #switchOffloadsOff(): void {
    const unwanted = expressesUdp(release()) ? UNWANTED : [...UNWANTED, ...UNWANTED_BEFORE_6_2]
    const off = activeFeatures(this.#name).filter((feature) => unwanted.includes(feature))
    if (off.length === 0) return
    if (setFeatures(this.#name, off, false)) this.#featuresOff = off
    else this.#warn(`${this.#name} keeps ${off.join(', ')}: frames merged by it are lost and counted`)
  }

  #quietly(act: () => void): void {
    try {
      act()
    } catch (error) {
      this.#warn(`cannot restore ${this.#name}: ${reasonOf(error)}`)
    }
  }
}

function expressesUdp(kernel: string): boolean {
  const [major = 0, minor = 0] = kernel.split('.').map(Number)
  return major > 6 || (major === 6 && minor >= 2)
}

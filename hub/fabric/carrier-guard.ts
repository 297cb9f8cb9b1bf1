/** Keeps tunnels out whose connection passes an interface that is attached here: it would go into itself. */
import { ProtocolError } from '#net/base/errors.ts'
import { carriersOf } from '#net/port/nic/carrier.ts'
import { outerCarriers } from '#net/port/nic/outer-carrier.ts'
import type { Attachment, Say } from '#hub/fabric/attachment.ts'

/** Pairs of interface and user, as a gateway names them: beyond, nothing is told any more. */
const MOST_TOLD = 4096

interface TunnelConnection {
  readonly user: string
  /** The hub's address of the SSH connection. */
  readonly localAddress: string
  readonly peerAddress: string
}

export class CarrierGuard {
  readonly #attachments: readonly Attachment[]
  readonly #say: Say
  readonly #told = new Set<string>()

  constructor(attachments: readonly Attachment[], say: Say) {
    this.#attachments = attachments
    this.#say = say
  }

  /** What only may carry it is told, once for each user. @throws ProtocolError `carries-tunnel` */
  check({ user, localAddress, peerAddress }: TunnelConnection): void {
    const nics = this.#attachments.filter(({ config }) => config.kind === 'nic')
    if (nics.length === 0) return
    const carriers = carriersOf(localAddress, peerAddress)
    const carrier = nics.find(({ called }) => carriers.certain.has(called))
    if (carrier)
      throw new ProtocolError(
        'carries-tunnel',
        `the hub's ${carrier.called} carries this connection (to ${localAddress}) and is attached to ` +
          `${carrier.config.bridge}: attach another interface, or reach the hub through another one`,
      )
    const untold = nics.filter((nic) => !this.#told.has(keyOf(nic, user)))
    if (carriers.opaque.length === 0 || untold.length === 0) return
    const outer = outerCarriers(carriers)
    const through = carriers.opaque.map(({ name }) => name).join(', ')
    for (const nic of untold) {
      if (!outer.has(nic.called) || this.#told.size >= MOST_TOLD) continue
      this.#told.add(keyOf(nic, user))
      this.#say(
        'warn',
        `${nic.called}, attached to ${nic.config.bridge}, may carry the tunnel of ${user}, which comes through ${through}: ` +
          `if the packets of that pass ${nic.called} too, they go into the tunnel again and again; attach an interface ` +
          'without routes',
      )
    }
  }
}

const keyOf = (nic: Attachment, user: string): string => `${nic.config.argument}\0${user}`

/** An interface, or a foreign VDE switch, that a bridge has by configuration: kept attached, whatever becomes of it. */
import { SystemError, reasonOf } from '#net/base/errors.ts'
import { canonicalName } from '#net/port/nic/link.ts'
import { type Nic, openNic } from '#net/port/nic/nic.ts'
import { nicHygiene } from '#net/port/nic/hygiene.ts'
import type { Port } from '#net/port/port.ts'
import { openTap } from '#net/port/tap.ts'
import { openVdePlug } from '#net/port/vde/plug.ts'
import type { SwitchPort } from '#net/switch/switch.ts'

const RETRY_MS = 1000

export interface AttachmentConfig {
  readonly bridge: string
  readonly kind: 'nic' | 'tap' | 'vde'
  /** Interface name; directory of a VDE switch. */
  readonly argument: string
  /** What follows it: `mode=access,vlan=10`. */
  readonly mode?: string | undefined
  readonly mtu?: number | undefined
  /** Others, as `bridge port set` takes them. */
  readonly settings?: Readonly<Record<string, string>> | undefined
  /** Wanted number of the VDE switch's port. */
  readonly port?: number | undefined
}

/** Log of one line for people, with a level. */
export type Say = (level: 'info' | 'warn', text: string) => void

export class Attachment {
  readonly config: AttachmentConfig
  readonly entry: SwitchPort
  readonly #say: Say
  readonly #all: readonly Attachment[]
  #port: (Port & Partial<Pick<Nic, 'called'>>) | undefined
  #timer: NodeJS.Timeout | undefined
  /** Why it is not attached; empty when it is. */
  problem = ''

  /** @param all  those of the hub: an interface is attached once, by whatever name */
  constructor(config: AttachmentConfig, entry: SwitchPort, say: Say, all: readonly Attachment[]) {
    this.config = config
    this.entry = entry
    this.#say = say
    this.#all = all
    // A VDE switch judges us by our user, and we clean up as such: after the process has dropped root's rights.
    if (config.kind === 'vde') queueMicrotask(() => this.#attach())
    else this.#attach()
  }

  /** What the interface is called now; it may be configured by another name, or have been renamed. */
  get called(): string {
    return this.#port?.called ?? canonicalName(this.config.argument)
  }

  close(): void {
    clearTimeout(this.#timer)
    this.entry.disconnect()
    this.#port?.close()
    this.#port = undefined
  }

  #attach(): void {
    const { kind, argument } = this.config
    try {
      this.#refuseTaken()
      this.#port = this.#open()
      this.entry.connect(this.#port)
      this.problem = ''
      this.#say('info', `${kind}:${argument} is attached to ${this.config.bridge}`)
      if (kind === 'nic') for (const warning of nicHygiene(argument)) this.#say('warn', warning)
    } catch (error) {
      if (this.problem === '')
        this.#say('warn', `${reasonOf(error)}; ${this.config.bridge} goes on without it and tries again`)
      this.problem = reasonOf(error)
      this.#timer = setTimeout(() => this.#attach(), RETRY_MS)
    }
  }

  #open(): Port {
    const { kind, argument, mtu, port } = this.config
    const common = { counters: this.entry.counters, sink: this.entry }
    const onWarning = (text: string): void => this.#say('warn', text)
    if (kind === 'vde') return openVdePlug({ ...common, directory: argument, port: port ?? 0, onWarning })
    const options = { ...common, interface: argument, ...(mtu === undefined ? {} : { mtu }) }
    return kind === 'nic' ? openNic({ ...options, onWarning }) : openTap(options)
  }

  /** Another attachment may have the interface by another name. @throws SystemError EBUSY */
  #refuseTaken(): void {
    const { argument } = this.config
    const name = canonicalName(argument)
    const other = this.#all.find(
      (known) => known !== this && known.#port !== undefined && known.called === name,
    )
    if (other === undefined) return
    const which = name === argument ? 'it' : `it is ${name}, which`
    throw new SystemError(
      'EBUSY',
      `cannot attach ${argument}: ${which} is attached to ${other.config.bridge} already`,
    )
  }
}

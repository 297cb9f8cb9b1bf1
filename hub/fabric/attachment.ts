/** An interface that a bridge has by configuration: kept attached, whatever the interface does. */
import { reasonOf } from '#net/base/errors.ts'
import { openNic } from '#net/port/nic/nic.ts'
import { nicHygiene } from '#net/port/nic/hygiene.ts'
import type { Port } from '#net/port/port.ts'
import { openTap } from '#net/port/tap.ts'
import type { SwitchPort } from '#net/switch/switch.ts'

const RETRY_MS = 1000

export interface AttachmentConfig {
  readonly bridge: string
  readonly kind: 'nic' | 'tap'
  /** Interface name. */
  readonly argument: string
  /** What follows it: `mode=access,vlan=10`. */
  readonly mode?: string | undefined
  readonly mtu?: number | undefined
}

/** Log of one line for people, with a level. */
export type Say = (level: 'info' | 'warn', text: string) => void

export class Attachment {
  readonly config: AttachmentConfig
  readonly #entry: SwitchPort
  readonly #say: Say
  #port: Port | undefined
  #timer: NodeJS.Timeout | undefined
  /** Why it is not attached; empty when it is. */
  problem = ''

  constructor(config: AttachmentConfig, entry: SwitchPort, say: Say) {
    this.config = config
    this.#entry = entry
    this.#say = say
    this.#attach()
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#entry.disconnect()
    this.#port?.close()
    this.#port = undefined
  }

  #attach(): void {
    const { kind, argument, mtu } = this.config
    const options = {
      interface: argument,
      counters: this.#entry.counters,
      sink: this.#entry,
      ...(mtu === undefined ? {} : { mtu }),
    }
    try {
      this.#port =
        kind === 'nic'
          ? openNic({ ...options, onWarning: (text) => this.#say('warn', text) })
          : openTap(options)
      this.#entry.connect(this.#port)
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
}

/** The agent's own switch: port 1 is the LAN's interface, port 2 the tunnel. */
import { EXIT_NO_NIC, EXIT_NO_PRIVILEGE, EXIT_OTHER, ExitError } from '#agent/exit-codes.ts'
import type { PortReading } from '#agent/report.ts'
import { SystemError } from '#net/base/errors.ts'
import { openNic } from '#net/port/nic.ts'
import type { Port } from '#net/port/port.ts'
import { TunnelPort } from '#net/port/tunnel.ts'
import type { SwitchPort } from '#net/switch/switch-port.ts'
import { Switch } from '#net/switch/switch.ts'

const TICK_MS = 1000

export class Bridge {
  readonly tunnel: TunnelPort
  readonly #switch: Switch
  readonly #local: SwitchPort
  readonly #remote: SwitchPort
  readonly #nic: Port
  readonly #ticker: NodeJS.Timeout
  #open = false

  /**
   * Opens the interface; `log` is told what happens to it.
   * @throws ExitError when the interface is missing or may not be opened
   */
  constructor(nic: string, log: (text: string) => void) {
    this.#switch = new Switch({
      name: 'hconnect',
      onPortChange: (entry, why) => {
        if (this.#open && entry === this.#local) log(`${nic}: ${why}`)
      },
    })
    this.#local = this.#switch.addEntry()
    this.#remote = this.#switch.addEntry()
    this.#nic = openInterface(nic, this.#local, log)
    this.#local.connect(this.#nic)
    this.tunnel = new TunnelPort({ name: 'tunnel:hub', counters: this.#remote.counters, sink: this.#remote })
    this.#remote.connect(this.tunnel)
    this.#switch.tick(performance.now())
    this.#ticker = setInterval(() => this.#switch.tick(performance.now()), TICK_MS)
    this.#ticker.unref()
    this.#open = true
  }

  get local(): PortReading {
    return read(this.#local)
  }

  get remote(): PortReading {
    return read(this.#remote)
  }

  /** Restores the interface. */
  close(): void {
    if (!this.#open) return
    this.#open = false
    clearInterval(this.#ticker)
    this.#local.disconnect('closed')
    this.#remote.disconnect('closed')
    this.tunnel.close()
    this.#nic.close()
    this.#switch.close()
  }
}

function openInterface(nic: string, entry: SwitchPort, log: (text: string) => void): Port {
  try {
    return openNic({ interface: nic, counters: entry.counters, sink: entry, onWarning: log })
  } catch (error) {
    if (!(error instanceof SystemError)) throw error
    throw new ExitError(EXIT_OF_ERRNO[error.code] ?? EXIT_OTHER, error.message, { cause: error })
  }
}

const EXIT_OF_ERRNO: Record<string, number> = {
  ENODEV: EXIT_NO_NIC,
  ENXIO: EXIT_NO_NIC,
  EPROTOTYPE: EXIT_NO_NIC,
  EPERM: EXIT_NO_PRIVILEGE,
  EACCES: EXIT_NO_PRIVILEGE,
}

function read(entry: SwitchPort): PortReading {
  const { up, qnq, strict, untaggedVlan, counters } = entry.read(0)
  return { active: up, qnq, strict, untaggedVlan, counters }
}

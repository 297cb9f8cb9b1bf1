/** A bridge's console without a socket: its ports are of memory, its time is told. */
import { MemoryPort } from '#net/port/memory.ts'
import { Bridge } from '#hub/fabric/bridge.ts'
import { BridgeConsole } from '#hub/vde/console/bridge-console.ts'
import { type ConsoleSession, PROMPT } from '#hub/vde/console/session.ts'
import type { VdePlug, VdePlugs } from '#hub/vde/console/vde-plugs.ts'

const NAMES = new Map([
  [0, 'root'],
  [1000, 'ann'],
])
const numberOf = (word: string): number | undefined =>
  [...NAMES].find(([, name]) => name === word)?.[0] ?? (/^\d+$/.test(word) ? Number(word) : undefined)
const nameOf = (id: number): string => NAMES.get(id) ?? String(id)

export class ConsoleLab {
  readonly bridge = new Bridge({ name: 'private0' }, () => {})
  readonly console: BridgeConsole
  readonly session: ConsoleSession
  /** Clients of its VDE server. */
  readonly plugs: VdePlug[] = []
  vde: VdePlugs | null = null
  readonly ports = new Map<number, MemoryPort>()
  now = 0

  constructor() {
    this.console = new BridgeConsole(this.bridge, {
      pid: 4711,
      path: '/run/private0.mgmt',
      mode: 0o600,
      startedAt: 0,
      vde: () => this.vde,
      accounts: { userName: nameOf, groupName: nameOf, userNumber: numberOf, groupNumber: numberOf },
    })
    const session = this.console.open(() => {})
    if (!session) throw new Error('no session')
    this.session = session
  }

  /** What the session answers, without its prompt. */
  say(line: string): string {
    const answer = [...this.session.answer(line, this.now)].join('')
    if (!answer.endsWith(PROMPT)) throw new Error(`no prompt behind ${JSON.stringify(answer)}`)
    return answer.slice(0, -PROMPT.length)
  }

  /** Its data lines; they must have been followed by success. */
  ask(line: string): string[] {
    const [first, ...lines] = this.say(line).split('\n')
    const end = lines.splice(-3).join('|')
    if (first !== "0000 DATA END WITH '.'" || end !== '.|1000 Success|')
      throw new Error(`${first} ... ${end}`)
    return lines
  }

  /** Connects a port that is up; makes it when it is not there. */
  plug(number: number, name = 'nic:eth1'): MemoryPort {
    const entry = this.bridge.switch.entry(number) ?? this.bridge.switch.addEntry(number)
    const port = new MemoryPort(entry.counters, entry, { name })
    this.ports.set(number, port)
    entry.connect(port)
    return port
  }

  /** Plugs a VDE client in. */
  plugVde(number: number, plug: Omit<VdePlug, 'port'>): MemoryPort {
    this.plugs.push({ ...plug, port: number })
    this.vde ??= {
      directory: '/run/vde/private0',
      mode: 0o660,
      endpoints: () => this.plugs,
      closeEndpoint: (port, id) => {
        const at = this.plugs.findIndex((known) => known.port === port && known.id === id)
        if (at >= 0) this.plugs.splice(at, 1)
        if (!this.plugs.some((known) => known.port === port)) this.bridge.switch.entry(port)?.disconnect()
        return at >= 0
      },
    }
    return this.plug(number, 'vde:ann')
  }

  close(): void {
    for (const entry of this.bridge.switch.portList) entry.disconnect()
    this.bridge.close()
  }
}

/** RSTP of one bridge: joins the pure protocol to the switch's ports, the clock and a timer. Does nothing while off. */
import { FrameMemory, TAG_ROOM } from '#net/port/frame-memory.ts'
import { BPDU_FRAME_LEN, decodeBpdu } from '#net/stp/bpdu.ts'
import { bridgeAddress, bridgePriority, portNumber } from '#net/stp/priority.ts'
import { Rstp } from '#net/stp/rstp.ts'
import type { Action } from '#net/stp/state.ts'
import { SECOND } from '#net/stp/times.ts'
import { addressText } from '#net/switch/mac-table.ts'
import type { BpduSink } from '#net/switch/observer.ts'
import type { Switch, SwitchPort } from '#net/switch/switch.ts'
import { putHeader, VIRTIO_HEADER_LEN } from '#net/wire/virtio.ts'
import { linkSpeed } from '#hub/fabric/link-speed.ts'
import {
  DEFAULT_RSTP,
  DEFAULT_RSTP_PORT,
  portSettings,
  type RstpBridgeSettings,
  type RstpPortSettings,
} from '#hub/fabric/rstp-settings.ts'

const ROOM = 2 * TAG_ROOM + VIRTIO_HEADER_LEN
/** BPDUs taken in a second, as each costs a look at all ports: from one port, as a neighbour sends 6 or 7, and in all. */
const MOST_OF_PORT = 30
const MOST_OF_ALL = 500

/** As `hybridge show rstp --json` gives it. */
export interface RstpReading {
  readonly bridge: string
  readonly enabled: boolean
  /** `32768.02:00:00:00:00:01`, as `root` and `designatedBridge`. */
  readonly bridgeId: string
  readonly root: string
  /** Number of the port that leads to the root; 0: this bridge is the root. */
  readonly rootPort: number
  readonly rootCost: number
  readonly topologyChanges: number
  readonly secondsSinceChange: number | null
  /** Those that hold in the tree: the root's. */
  readonly hello: number
  readonly maxAge: number
  readonly forwardDelay: number
  readonly ports: readonly RstpPortReading[]
}

interface RstpPortReading {
  readonly number: number
  readonly name: string
  readonly role: string
  readonly state: string
  readonly cost: number
  readonly edge: boolean
  readonly pointToPoint: boolean
  /** False: it hears an STP bridge, and speaks STP. */
  readonly rstp: boolean
  readonly designatedBridge: string
  /** `128.1` */
  readonly designatedPort: string
  readonly rcvdBpdus: number
  readonly badBpdus: number
  readonly sentBpdus: number
}

interface Member {
  readonly entry: SwitchPort
  /** In this second. */
  bpdus: number
  /** Malformed, or too many. */
  bad: number
}

export class SpanningTree implements BpduSink {
  readonly #switch: Switch
  readonly #address: bigint
  readonly #now: () => number
  #settings = DEFAULT_RSTP
  /** Of entries that were set. */
  readonly #ports = new WeakMap<SwitchPort, RstpPortSettings>()
  #rstp: Rstp | null = null
  /** By number, as the protocol knows them. */
  readonly #members = new Map<number, Member>()
  #memory: FrameMemory | null = null
  /** Taken in this second. */
  #bpdus = 0
  #actions: Action[] = []
  #isActing = false
  #timer: NodeJS.Timeout | undefined

  /** @param now  monotonic milliseconds */
  constructor(bridge: Switch, address: bigint, now: () => number) {
    this.#switch = bridge
    this.#address = address
    this.#now = now
  }

  /** The bridge's MAC address, whether the protocol is on or not. */
  get address(): string {
    return addressText(Number(this.#address >> 32n), Number(this.#address & 0xffff_ffffn))
  }

  get settings(): RstpBridgeSettings {
    return this.#settings
  }

  set settings(settings: RstpBridgeSettings) {
    this.#settings = settings
    if (!settings.isOn) this.#stop()
    else if (this.#rstp === null) this.#start()
    else this.#act(this.#rstp.setBridge(settings, this.#now()))
  }

  portSettings(entry: SwitchPort): RstpPortSettings {
    return this.#ports.get(entry) ?? DEFAULT_RSTP_PORT
  }

  setPort(entry: SwitchPort, settings: RstpPortSettings): void {
    this.#ports.set(entry, settings)
    this.#update(entry)
  }

  /** Speaks RSTP again where an STP bridge was heard, and sees whether it still is there. */
  checkMigration(entry: SwitchPort): void {
    if (this.#rstp !== null) this.#act(this.#rstp.checkMigration(entry.number, this.#now()))
  }

  /** An entry's port came, went, or changed, or it became or ceased to be where a mirror's copies go. */
  portChanged(entry: SwitchPort): void {
    if (this.#rstp === null) return
    const known = this.#members.get(entry.number)
    if (known !== undefined && known.entry !== entry) this.#remove(entry.number)
    if (known?.entry !== entry) {
      this.#switch.setStpState(entry, 'discarding')
      this.#members.set(entry.number, { entry, bpdus: 0, bad: 0 })
      this.#act(this.#rstp.addPort(entry.number, this.#protocolSettings(entry), this.#now()))
    } else if (entry.isUp) this.#update(entry)
    // Where copies go nothing else goes, and nothing comes from.
    const isLink = entry.isUp && this.#switch.mirrorSources(entry).length === 0
    this.#act(this.#rstp.setLink(entry.number, isLink, this.#now()))
  }

  bpdu(entry: SwitchPort, b: Uint8Array, start: number, end: number): void {
    const member = this.#members.get(entry.number)
    if (this.#rstp === null || member === undefined) return
    const isTaken = member.bpdus < MOST_OF_PORT && this.#bpdus < MOST_OF_ALL
    const bpdu = isTaken ? decodeBpdu(b, start, end) : null
    member.bpdus++
    if (isTaken) this.#bpdus++
    if (bpdu === null) member.bad++
    else this.#act(this.#rstp.receive(entry.number, bpdu, this.#now()))
  }

  /** To be called about once a second. */
  tick(): void {
    this.#bpdus = 0
    for (const [number, member] of this.#members) {
      member.bpdus = 0
      if (this.#switch.entry(number) !== member.entry) this.#remove(number)
    }
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#rstp = null
    this.#memory?.free()
    this.#memory = null
  }

  read(): RstpReading {
    const rstp = this.#rstp ?? new Rstp(this.#address, this.#settings)
    const { bridge } = rstp
    const { maxAge, helloTime, forwardDelay } = bridge.rootTimes
    return {
      bridge: this.#switch.name,
      enabled: this.#settings.isOn,
      bridgeId: idText(bridge.bridgeIdentifier),
      root: idText(bridge.rootPriority.root),
      rootPort: bridge.rootPort,
      rootCost: bridge.rootPriority.cost,
      topologyChanges: bridge.topologyChanges,
      secondsSinceChange:
        bridge.lastTopologyChange < 0 ? null : Math.floor((this.#now() - bridge.lastTopologyChange) / 1000),
      hello: helloTime / SECOND,
      maxAge: maxAge / SECOND,
      forwardDelay: forwardDelay / SECOND,
      ports: [...bridge.ports.values()].map((port) => ({
        number: port.number,
        name: this.#members.get(port.number)?.entry.port?.name ?? '',
        role: port.role,
        state: port.state,
        cost: port.settings.pathCost,
        edge: port.operEdge,
        pointToPoint: port.settings.pointToPoint,
        rstp: port.sendRstp,
        designatedBridge: idText(port.portPriority.bridge),
        designatedPort: portText(port.portPriority.port),
        rcvdBpdus: port.rcvdBpdus,
        badBpdus: this.#members.get(port.number)?.bad ?? 0,
        sentBpdus: port.sentBpdus,
      })),
    }
  }

  #start(): void {
    this.#rstp = new Rstp(this.#address, this.#settings)
    this.#memory = FrameMemory.native(ROOM + BPDU_FRAME_LEN)
    this.#switch.bpduSink = this
    for (const { number } of this.#switch.ports()) {
      const entry = this.#switch.entry(number)
      if (entry !== null) this.portChanged(entry)
    }
  }

  #stop(): void {
    this.close()
    this.#switch.bpduSink = null
    for (const { entry } of this.#members.values()) this.#switch.setStpState(entry, 'forwarding')
    this.#members.clear()
  }

  #remove(number: number): void {
    this.#members.delete(number)
    if (this.#rstp !== null) this.#act(this.#rstp.removePort(number, this.#now()))
  }

  #update(entry: SwitchPort): void {
    if (this.#rstp === null || this.#members.get(entry.number)?.entry !== entry) return
    this.#act(this.#rstp.setPort(entry.number, this.#protocolSettings(entry), this.#now()))
  }

  #protocolSettings(entry: SwitchPort): ReturnType<typeof portSettings> {
    const link = entry.port === null ? { megabits: 1000, isHalfDuplex: false } : linkSpeed(entry.port)
    return portSettings(this.portSettings(entry), link)
  }

  /** In order, also when sending takes a port down, which is an event again. */
  #act(actions: readonly Action[]): void {
    this.#actions.push(...actions)
    if (this.#isActing) return
    this.#isActing = true
    for (let action = this.#actions.shift(); action !== undefined; action = this.#actions.shift())
      this.#perform(action)
    this.#isActing = false
    this.#schedule()
  }

  #perform(action: Action): void {
    const entry = this.#members.get(action.port)?.entry
    if (entry === undefined) return
    if (action.kind === 'state') this.#switch.setStpState(entry, action.state)
    else if (action.kind === 'flush') this.#switch.table.flushPort(entry.number)
    else if (this.#memory !== null) {
      this.#memory.bytes.set(action.frame, ROOM)
      putHeader(this.#memory.bytes, ROOM, 0, 0, 0, 0, 0, 0)
      this.#switch.originate(entry, this.#memory, ROOM, ROOM + action.frame.length)
    }
  }

  #schedule(): void {
    clearTimeout(this.#timer)
    const deadline = this.#rstp?.nextDeadline ?? Infinity
    if (deadline === Infinity) return
    this.#timer = setTimeout(
      () => {
        if (this.#rstp !== null) this.#act(this.#rstp.tick(this.#now()))
      },
      Math.max(1, deadline - this.#now()),
    )
  }
}

const idText = (id: bigint): string =>
  `${bridgePriority(id)}.${bridgeAddress(id)
    .toString(16)
    .padStart(12, '0')
    .replaceAll(/..(?=.)/g, '$&:')}`

const portText = (id: number): string => `${(id >> 8) & 0xf0}.${portNumber(id)}`

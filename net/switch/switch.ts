/**
 * A virtual switch: learns addresses per VLAN, forwards frames between its entries, changes their tags as the entries'
 * modes ask, and finishes super-frames for ports that carry wire frames only. Link-local group addresses are flooded
 * like any other group: the switch is transparent to STP, LLDP and LACP, unless it is given a `bpduSink`.
 *
 * Pure: ports call `SwitchPort.frame` and `batchEnd`, time is what `tick` was last given. Frames of a batch are queued
 * in the ports by reference, and flushed at its end. A port may not hand in frames from within `send` or `flush`.
 */
import { ConfigError } from '#net/base/errors.ts'
import { DROP_BAD_OFFLOAD, DROP_LOOP, DROP_SHORT, DROP_STP, DROP_STRICT } from '#net/port/counters.ts'
import type { FrameMemory } from '#net/port/frame-memory.ts'
import type { Port } from '#net/port/port.ts'
import { wireFrames } from '#net/port/wire-count.ts'
import { LoopGuard } from '#net/switch/loop-guard.ts'
import { DEFAULT_AGEING_MS, DEFAULT_CAPACITY, MacTable } from '#net/switch/mac-table.ts'
import { PortHold } from '#net/switch/port-hold.ts'
import { type PortMode, TRANSPARENT } from '#net/switch/port-mode.ts'
import {
  CHANGE_NOTHING,
  CHANGE_TAG,
  CHANGE_UNTAG,
  FrameVlan,
  NOT_CARRIED,
  NOT_STRICT,
  PortVlans,
} from '#net/switch/port-vlans.ts'
import { SendQueue } from '#net/switch/send-queue.ts'
import { setGuard } from '#net/switch/guards/port-guard.ts'
import { Mirror, type MirrorSource } from '#net/switch/mirror.ts'
import { type BpduSink, type FrameObserver, RECEIVED, SENT } from '#net/switch/observer.ts'
import { Observers } from '#net/switch/observers.ts'
import { type Forwarder, SwitchPort, type SwitchPortReading } from '#net/switch/switch-port.ts'
import { keyTpid, keyVid, type Tpid } from '#net/switch/vlan.ts'
import { VlanCounters } from '#net/switch/vlan-counters.ts'
import { listVlans, type SwitchVlan } from '#net/switch/vlan-list.ts'
import { isBpdu } from '#net/wire/bpdu.ts'
import { HEADER_LEN, TAG_LEN, TPID_C_TAG } from '#net/wire/ethernet.ts'
import { putU16, u16, u8 } from '#net/wire/octets.ts'
import { insertTag, removeTag } from '#net/wire/tag.ts'
import { isValidHeader, VIRTIO_HEADER_LEN } from '#net/wire/virtio.ts'

export type { SwitchPort }

/** Highest number of an entry. */
const MAX_PORTS = 1024
/** Addresses aged out by one `tick` at most. */
const AGE_LIMIT = 4096
const SOURCE = 6
const TYPE = 12
const ACCEPTED = -1
/** For the spanning tree. */
const BPDU = -2

export interface SwitchOptions {
  readonly name: string
  /** 300 000 by default (IEEE Std 802.1Q-2022 §8.8.3). */
  readonly ageingMs?: number
  /** Addresses learnt at most; 16 384 by default. */
  readonly maxAddresses?: number
  /** Of the MAC table's hash, for tests; random by default. */
  readonly hashSeed?: number
  /** Told when an entry's port goes up, down, or comes and goes; `why` is for people. Not called per frame. */
  readonly onPortChange?: (entry: SwitchPort, why: string) => void
  /** Told when loop protection shuts an entry (its `hold` says for how long) and when it opens it again. */
  readonly onLoop?: (entry: SwitchPort, isShut: boolean) => void
}

/** A learnt address, for people and machines. */
export interface SwitchAddress {
  readonly address: string
  /** VID of the VLAN, 0: untagged. */
  readonly vlan: number
  readonly tpid: Tpid
  readonly port: number
  readonly ageSeconds: number
}

export class Switch implements Forwarder {
  readonly name: string
  readonly table: MacTable
  readonly vlanCounters = new VlanCounters()
  /** By number; null where there is no entry. */
  private readonly byNumber: (SwitchPort | null)[] = []
  /** In the order of their numbers. */
  private entries: SwitchPort[] = []
  /** Those that frames are flooded to: not the shut ones, nor destinations of mirrors, which get copies only. */
  private open: SwitchPort[] = []
  /** Takes BPDUs from the entries; without one they are flooded. */
  bpduSink: BpduSink | null = null
  private loopGuard: LoopGuard | null = null
  private readonly observers = new Observers()
  private mirrors: Mirror[] = []
  private readonly onPortChange: ((entry: SwitchPort, why: string) => void) | undefined
  private readonly onLoop: ((entry: SwitchPort, isShut: boolean) => void) | undefined
  private now = 0.5
  /** No entry has another mode: frames are not looked into beyond the table's key. */
  private isTransparent = true
  /** Classes of the TPIDs that count as VLAN tags here, a bit each; 0x8100 always does. */
  private tpids = 1
  private readonly vlan = new FrameVlan()
  /** VLAN key of the frame at hand. */
  private key = 0

  private readonly queue = new SendQueue()

  constructor(options: SwitchOptions) {
    this.name = options.name
    this.table = new MacTable({
      capacity: options.maxAddresses ?? DEFAULT_CAPACITY,
      ageingMs: options.ageingMs ?? DEFAULT_AGEING_MS,
      maxPort: MAX_PORTS,
      ...(options.hashSeed === undefined ? {} : { seed: options.hashSeed }),
    })
    this.onPortChange = options.onPortChange
    this.onLoop = options.onLoop
    this.now = 0
  }

  /**
   * Sets the time, monotonic milliseconds, and ages addresses out. To be called about once a second: between calls the
   * switch's time stands still.
   */
  tick(now: number): void {
    this.now = now
    this.table.age(now, AGE_LIMIT)
    if (this.loopGuard !== null) this.loopGuard.tick()
    for (const entry of this.entries) {
      entry.guard?.tick()
      if (entry.blocked === DROP_LOOP && entry.hold !== null && now >= entry.hold.until) this.reopen(entry)
    }
  }

  /** Sets what the spanning tree lets through at an entry. */
  setStpState(entry: SwitchPort, state: SwitchPort['stpState']): void {
    entry.stpState = state
    if (state === 'discarding') this.table.flushPort(entry.number)
    this.setBlocked(entry, entry.blocked === DROP_LOOP)
  }

  /** Shuts entries through which frames come back, for a while. Off at first. */
  setLoopProtection(isOn: boolean): void {
    if (isOn) this.loopGuard ??= new LoopGuard()
    else {
      this.loopGuard = null
      for (const entry of this.entries) if (entry.blocked === DROP_LOOP) this.reopen(entry)
    }
  }

  get hasLoopProtection(): boolean {
    return this.loopGuard !== null
  }

  /** Sends a frame of the switch's own to one entry, whatever its state and mode; after the call it may be changed. */
  originate(entry: SwitchPort, memory: FrameMemory, start: number, end: number): void {
    this.queue.begin()
    this.queue.send(entry, memory, start, end)
    this.flushPorts()
  }

  /**
   * Adds an entry without a port.
   * @param number  1 to 1024; the lowest that is free when left out
   */
  addEntry(number?: number, mode: PortMode = TRANSPARENT): SwitchPort {
    const chosen = number ?? this.freeNumber()
    if (!Number.isInteger(chosen) || chosen < 1 || chosen > MAX_PORTS) {
      throw new ConfigError(`cannot add port ${chosen} to ${this.name}: a switch has ports 1 to ${MAX_PORTS}`)
    }
    while (this.byNumber.length <= chosen) this.byNumber.push(null)
    if (this.entry(chosen) !== null)
      throw new ConfigError(`cannot add port ${chosen} to ${this.name}: it exists`)
    const entry = new SwitchPort(this, chosen, mode)
    entry.observer = this.observers.of(chosen)
    this.byNumber[chosen] = entry
    this.entriesChanged()
    return entry
  }

  /** Takes an entry away, its port disconnected but not closed. @returns the port, null when there was none. */
  removeEntry(number: number): Port | null {
    const entry = this.entry(number)
    if (entry === null) return null
    entry.setLink(RECEIVED, null)
    entry.setLink(SENT, null)
    const port = entry.disconnect('port removed')
    this.setMirror(entry, [])
    this.table.flushPort(number)
    this.byNumber[number] = null
    this.entriesChanged()
    return port
  }

  entry(number: number): SwitchPort | null {
    return this.byNumber[number] ?? null
  }

  setMode(entry: SwitchPort, mode: PortMode): void {
    entry.mode = mode
    entry.vlans = new PortVlans(mode)
    this.table.flushPort(entry.number)
    this.entriesChanged()
  }

  /** By number; a list that does not change: another one takes its place when entries come or go. */
  get portList(): readonly SwitchPort[] {
    return this.entries
  }

  /** Lets an observer see the frames of all entries, or of one; entries that come later included. */
  observe(observer: FrameObserver, port?: number): void {
    this.observers.add(observer, port)
    this.observersChanged()
  }

  unobserve(observer: FrameObserver): void {
    this.observers.remove(observer)
    this.observersChanged()
  }

  /**
   * Makes an entry the destination of copies and nothing else; without sources, an ordinary one again. Sources are
   * numbers: entries may come and go. To be called between two batches.
   */
  setMirror(to: SwitchPort, sources: readonly MirrorSource[]): void {
    const before = this.mirrors.find((mirror) => mirror.to === to)
    if (before === undefined && sources.length === 0) return
    if (before !== undefined) {
      this.observers.remove(before)
      before.close()
    }
    this.mirrors = this.mirrors.filter((mirror) => mirror !== before)
    if (sources.length > 0) {
      const mirror = new Mirror(to, sources)
      this.mirrors.push(mirror)
      for (const { port } of sources) this.observers.add(mirror, port)
    }
    setGuard(to, { isMirror: sources.length > 0 })
    this.table.flushPort(to.number)
    this.observersChanged()
    this.entriesChanged()
  }

  /** What is copied to an entry. */
  mirrorSources(to: SwitchPort): readonly MirrorSource[] {
    return this.mirrors.find((mirror) => mirror.to === to)?.sources ?? []
  }

  /** Whether an entry is a source of some mirror. */
  isMirrored(entry: SwitchPort): boolean {
    return this.mirrors.some(({ sources }) => sources.some(({ port }) => port === entry.number))
  }

  /** Copies of the entries for people and machines, by number. */
  ports(): SwitchPortReading[] {
    return this.entries.map((entry) => entry.read(this.table.count(entry.number)))
  }

  /** A copy of the learnt addresses, port by port. */
  addresses(): SwitchAddress[] {
    return this.table.entries(this.now).map(({ address, vlan, port, ageMs }) => ({
      address,
      vlan: keyVid(vlan),
      tpid: keyTpid(vlan),
      port,
      ageSeconds: Math.floor(ageMs / 1000),
    }))
  }

  /** Copies of the VLANs that were seen or that ports name, by TPID and VID. */
  vlans(): SwitchVlan[] {
    return listVlans(this.members(), this.vlanCounters, this.table.countByVlan())
  }

  /** Gives native memory back, after all ports have been disconnected. */
  close(): void {
    for (const entry of this.entries) {
      entry.setLink(RECEIVED, null)
      entry.setLink(SENT, null)
    }
    for (const mirror of this.mirrors) mirror.close()
    this.mirrors = []
    this.queue.close()
  }

  portChanged(entry: SwitchPort, why: string): void {
    if (!entry.isUp) this.table.flushPort(entry.number)
    this.onPortChange?.(entry, why)
  }

  forward(from: SwitchPort, memory: FrameMemory, start: number, end: number): void {
    const b = memory.bytes
    const reason = this.classify(from, b, start, end)
    if (from.observer !== null)
      from.observer.frame(from, RECEIVED, Math.max(reason, ACCEPTED), memory, start, end)
    if (reason !== ACCEPTED) {
      this.keepIn(from, reason, b, start, end)
      return
    }
    const key = this.key
    this.vlanCounters.count(key, b, start, end)
    const before = this.table.learn(b, start + SOURCE, key, from.number, this.now)
    const known = (u8(b, start) & 1) === 0 ? this.table.lookup(b, start, key) : 0
    const to = known === 0 ? null : this.entry(known)
    if (before !== 0 && this.isLoop(from, before, to, b, start, end)) return
    if (to === from || (to !== null && to.blocked >= 0)) return
    if (!this.isTransparent) this.forwardForm(from, to, memory, start, end)
    else if (to === null) this.flood(from, memory, start, end)
    else {
      this.queue.begin()
      this.queue.send(to, memory, start, end)
    }
  }

  /** Sends the frame whose VLAN was read last in the form that the entry, or each entry for null, needs. */
  private forwardForm(
    from: SwitchPort,
    to: SwitchPort | null,
    memory: FrameMemory,
    start: number,
    end: number,
  ): void {
    if (to === null) {
      this.floodForms(from, memory, start, end)
      return
    }
    const change = this.changeFor(to, memory, start, end)
    if (change < 0) return
    this.queue.begin()
    this.queue.send(to, memory, this.change(change, memory.bytes, start), end)
  }

  /** A frame moved its source from port `before`. @returns true when `from` is shut because of that */
  private isLoop(
    from: SwitchPort,
    before: number,
    to: SwitchPort | null,
    b: Uint8Array,
    start: number,
    end: number,
  ): boolean {
    if (this.loopGuard === null || (to !== null && to !== from)) return false
    if (!this.loopGuard.moved(b, start, end, before, from.number)) return false
    this.shut(from, before)
    return from.blocked >= 0
  }

  /** What becomes of a frame that `classify` does not accept. */
  private keepIn(from: SwitchPort, reason: number, b: Uint8Array, start: number, end: number): void {
    if (reason === BPDU) {
      if (this.bpduSink !== null) this.bpduSink.bpdu(from, b, start, end)
      return
    }
    from.counters.dropIn(reason, reason <= DROP_BAD_OFFLOAD ? 1 : wireFrames(b, start, end))
    if (reason !== DROP_STP || from.stpState !== 'learning') return
    this.table.learn(b, start + SOURCE, this.key, from.number, this.now)
  }

  /** Finds the VLAN of a frame, `key`. @returns DROP_* or BPDU when the frame goes no further, else ACCEPTED */
  private classify(from: SwitchPort, b: Uint8Array, start: number, end: number): number {
    if (end - start < HEADER_LEN) return DROP_SHORT
    if (u16(b, start - VIRTIO_HEADER_LEN) !== 0 && !isValidHeader(b, start, end)) return DROP_BAD_OFFLOAD
    if (from.guard !== null || this.bpduSink !== null) {
      const reason = this.inspect(from, b, start, end)
      if (reason !== ACCEPTED) return reason
    }
    if (!this.isTransparent) {
      const reason = this.vlan.read(from.vlans, this.tpids, b, start, end)
      if (reason >= 0) return reason
      this.key = this.vlan.key
    } else if (u16(b, start + TYPE) === TPID_C_TAG && end - start >= HEADER_LEN + TAG_LEN) {
      this.key = u16(b, start + TYPE + 2) & 0xfff
    } else this.key = 0
    return from.blocked
  }

  /** Asks the guards, and looks for BPDUs. Apart from `classify`, which stays short: V8 inlines it then. */
  private inspect(from: SwitchPort, b: Uint8Array, start: number, end: number): number {
    if (from.guard !== null) {
      const reason = from.guard.admit(b, start, end)
      if (reason >= 0) return reason
    }
    return this.bpduSink !== null && isBpdu(b, start, end) ? BPDU : ACCEPTED
  }

  deliver(to: SwitchPort, memory: FrameMemory, start: number, end: number): void {
    this.queue.deliver(to, memory, start, end)
  }

  flushPorts(): void {
    for (let i = 0; i < this.mirrors.length; i++) this.mirrors[i]?.sendTo(this.queue)
    this.queue.flush()
    for (let i = 0; i < this.mirrors.length; i++) this.mirrors[i]?.done()
  }

  private flood(from: SwitchPort, memory: FrameMemory, start: number, end: number): void {
    this.queue.begin()
    for (let i = 0; i < this.open.length; i++) {
      const entry = this.open[i]
      if (entry !== undefined && entry !== from) this.queue.send(entry, memory, start, end)
    }
  }

  /** Floods the frame whose VLAN was read last, in as many forms as the entries need. */
  private floodForms(from: SwitchPort, memory: FrameMemory, start: number, end: number): void {
    const b = memory.bytes
    let needed = 0
    for (let i = 0; i < this.open.length; i++) {
      const entry = this.open[i]
      if (entry === undefined || entry === from) continue
      const change = this.changeFor(entry, memory, start, end)
      if (change >= 0) needed |= 1 << change
    }
    const isOneForm = (needed & (needed - 1)) === 0
    for (let change = CHANGE_NOTHING; change <= CHANGE_TAG; change++) {
      if ((needed & (1 << change)) === 0) continue
      if (change === CHANGE_NOTHING) this.floodForm(from, change, memory, start, end)
      else if (isOneForm) this.floodForm(from, change, memory, this.change(change, b, start), end)
      else {
        const copies = this.queue.roomForCopy(end - start)
        const copy = copies.copy(memory, start, end)
        const to = this.change(change, copies.memory.bytes, copy)
        this.floodForm(from, change, copies.memory, to, copy + (end - start))
      }
    }
  }

  /** Sends a frame, changed already, to the entries that need this change. */
  private floodForm(from: SwitchPort, change: number, memory: FrameMemory, start: number, end: number): void {
    this.queue.begin()
    for (let i = 0; i < this.open.length; i++) {
      const entry = this.open[i]
      if (entry === undefined || entry === from) continue
      if (this.vlan.changeFor(entry.vlans) === change) this.queue.send(entry, memory, start, end)
    }
  }

  /** What the entry's mode does to the frame whose VLAN was read last: CHANGE_*, negative when it does not get it. */
  private changeFor(entry: SwitchPort, memory: FrameMemory, start: number, end: number): number {
    const change = this.vlan.changeFor(entry.vlans)
    if (change !== NOT_STRICT) return change
    entry.counters.dropOut(DROP_STRICT, wireFrames(memory.bytes, start, end))
    if (entry.observer !== null) entry.observer.frame(entry, SENT, DROP_STRICT, memory, start, end)
    return NOT_CARRIED
  }

  /** Changes the tag of the frame whose VLAN was read last. @returns its new start. */
  private change(change: number, b: Uint8Array, start: number): number {
    if (change === CHANGE_UNTAG) return removeTag(b, start)
    if (change !== CHANGE_TAG) return start
    const tpid = keyTpid(this.vlan.key)
    const tci = this.vlan.tci
    if (this.vlan.tagLength === 0) return insertTag(b, start, tpid, tci)
    putU16(b, start + TYPE, tpid)
    putU16(b, start + TYPE + 2, tci)
    return start
  }

  /**
   * A frame that had come in at `other` came in at `from` again. Shutting `from` opens the loop: be it one of both, or
   * of `from` alone, behind which hosts of other ports are heard.
   */
  private shut(from: SwitchPort, other: number): void {
    const partner = this.entry(other)?.hold ?? null
    // The same loop, even if its other end was shut last.
    const isSame =
      partner !== null && partner.other === from.number && partner.until > (from.hold?.until ?? 0)
    from.hold = new PortHold(other, this.now, isSame ? partner : from.hold)
    this.table.flushPort(from.number)
    this.setBlocked(from, true)
    this.onLoop?.(from, true)
  }

  private reopen(entry: SwitchPort): void {
    this.setBlocked(entry, false)
    this.onLoop?.(entry, false)
  }

  private setBlocked(entry: SwitchPort, isLoop: boolean): void {
    entry.blocked = isLoop ? DROP_LOOP : entry.stpState === 'forwarding' ? -1 : DROP_STP
    this.open = this.members().filter(({ blocked }) => blocked < 0)
  }

  /** All but the destinations of mirrors. */
  private members(): SwitchPort[] {
    const destinations = new Set(this.mirrors.map(({ to }) => to))
    return this.entries.filter((entry) => !destinations.has(entry))
  }

  private freeNumber(): number {
    let number = 1
    while (this.entry(number) !== null) number++
    return number
  }

  private observersChanged(): void {
    for (const entry of this.entries) entry.observer = this.observers.of(entry.number)
  }

  /** Entries came, went, changed their mode, became or ceased to be the destination of a mirror. */
  private entriesChanged(): void {
    this.entries = this.byNumber.filter((entry) => entry !== null)
    const members = this.members()
    this.open = members.filter((entry) => entry.blocked < 0)
    this.isTransparent = members.every((entry) => entry.vlans.isTransparent)
    const tpids = members.reduce((set, entry) => set | entry.vlans.tpids, 1)
    // What is a VLAN tag has changed, and with it the VLANs that addresses were learnt in.
    if (tpids !== this.tpids) this.table.clear()
    this.tpids = tpids
  }
}

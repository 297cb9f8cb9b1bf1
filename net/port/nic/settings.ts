/**
 * What a bridged interface needs changed: up, IPv6 of its own off, an MTU that lets tagged and jumbo frames pass,
 * offloads that a packet socket can express. What it was is recorded before each change. Ports of any process that
 * bridge one interface share the settings: the last one to leave puts them back.
 */
import { release } from 'node:os'
import { bootId } from '#net/base/boot-id.ts'
import { reasonOf } from '#net/base/errors.ts'
import { linkFeatures, setFeatures } from '#net/port/nic/ethtool.ts'
import { inherit } from '#net/port/nic/inherit.ts'
import { isLinkUp, linkAddress, linkMtu, linkName, setLinkMtu, setLinkUp } from '#net/port/nic/link.ts'
import { isIpv6, linkAddresses } from '#net/port/nic/link-addresses.ts'
import { ipv6Mtu, isIpv6On, ownIpv6Mtu, setIpv6, setIpv6Mtu } from '#net/port/nic/link-ipv6.ts'
import { mtuGoal, mtuWarning } from '#net/port/nic/mtu.ts'
import { isAddressed, mastersOf } from '#net/port/nic/masters.ts'
import { type OffloadChoice, chooseOffloads } from '#net/port/nic/offloads.ts'
import {
  type NicRecord,
  type Owner,
  isAlive,
  isSameOwner,
  newOwner,
  withOwner,
} from '#net/port/nic/record.ts'
import { raiseMtu } from '#net/port/nic/raise-mtu.ts'
import { type RecordSlot, type Warn, withRecord } from '#net/port/nic/records.ts'
import { undoChanges } from '#net/port/nic/undo.ts'

export interface NicUse {
  /** MTU to raise to, in octets. Undefined: the most that the product carries, as far as the driver goes. */
  readonly mtu?: number | undefined
  /** The machine's own traffic uses it too: its MTU is raised only if `mtu` says so, and it is left up. */
  readonly isUplink?: boolean | undefined
  /** Offloads to switch off besides those that no bridge can live with. */
  readonly offloads?: readonly string[]
}

export class NicSettings {
  readonly #use: NicUse
  readonly #warn: Warn
  readonly #owner: Owner = newOwner()
  /** As we wrote it last; undefined when there is nothing to restore. */
  #record: NicRecord | undefined
  /** What `follow` looked at last. */
  #seen = ''

  constructor(use: NicUse, warn: Warn) {
    this.#use = use
    this.#warn = warn
  }

  /**
   * Changes what must change on interface `index`, and restores another one that it was called for before.
   * @throws SystemError when it cannot be brought up
   */
  apply(index: number): void {
    if (this.#record !== undefined && this.#record.index !== index) this.restore()
    const name = linkName(index)
    const address = linkAddress(name)
    withRecord(index, undefined, this.#warn, (slot) => {
      const record: NicRecord = {
        ...inherit(slot.read(), name, address, this.#warn),
        boot: bootId(),
        index,
        name,
        address,
      }
      record.owners = withOwner(record.owners, this.#owner)
      record.ipv6Mtu ??= ownIpv6Mtu(name)
      this.#record = record
      const addresses = linkAddresses(index)
      this.#raiseMtu(record, slot, addresses.length > 0 || mastersOf(name).some(isAddressed))
      this.#switchOffloadsOff(record, slot)
      if (!isLinkUp(name)) {
        const isUplink = this.#use.isUplink === true
        if (!isUplink && !addresses.some(isIpv6)) this.#silenceIpv6(record, slot)
        record.broughtUp = !isUplink
        slot.write(record)
        setLinkUp(name, true)
      }
      this.#keepIpv6Mtu(record)
      slot.write(record)
      this.#seen = lookAt(name)
    })
  }

  /** To be called when the interface changed: what somebody else decides meanwhile is not ours to restore. */
  follow(): void {
    const known = this.#record
    if (known === undefined) return
    const name = linkName(known.index)
    const seen = lookAt(name)
    if (seen === this.#seen) return
    withRecord(known.index, known, this.#warn, (slot) => {
      const record = slot.read() ?? known
      record.broughtUp &&= isLinkUp(name)
      record.address = linkAddress(name)
      record.name = name
      slot.write(record)
      this.#record = record
    })
    this.#seen = seen
  }

  /**
   * Puts back what was changed and nobody else has changed since, unless another port still bridges the interface.
   * Never throws: the interface may be gone.
   */
  restore(): void {
    const known = this.#record
    if (known === undefined) return
    this.#record = undefined
    withRecord(known.index, known, this.#warn, (slot) => {
      const record = slot.read() ?? known
      record.owners = record.owners.filter((owner) => !isSameOwner(owner, this.#owner) && isAlive(owner))
      if (record.owners.length > 0) return slot.write(record)
      const { failures, rest } = undoChanges(record)
      for (const failure of failures) this.#warn(`cannot restore ${record.name}: ${reasonOf(failure)}`)
      slot.write(rest)
    })
  }

  #raiseMtu(record: NicRecord, slot: RecordSlot, hasAddress: boolean): void {
    const { name } = record
    const { mtu: asked, isUplink = false } = this.#use
    const goal = mtuGoal({ asked, hasAddress, isUplink })
    const setting = { get: () => linkMtu(name), set: (mtu: number) => setLinkMtu(name, mtu) }
    const refusal = raiseMtu(record, goal, setting, () => slot.write(record))
    const mtu = linkMtu(name)
    if (mtu < goal.due) this.#warn(mtuWarning(name, mtu, refusal))
  }

  #switchOffloadsOff(record: NicRecord, slot: RecordSlot): void {
    const { name } = record
    const choose = (): OffloadChoice => chooseOffloads(linkFeatures(name), release(), this.#use.offloads)
    const { off, stuck } = choose()
    const still = [...stuck]
    let reason = 'the driver does not switch it off'
    if (off.length > 0) {
      const found = record.featuresOff
      record.featuresOff = [...new Set([...found, ...off])]
      slot.write(record)
      try {
        setFeatures(name, off, false)
      } catch (error) {
        reason = reasonOf(error)
      }
      const refused = choose().off
      record.featuresOff = record.featuresOff.filter((feature) => !refused.includes(feature))
      still.push(...refused)
    }
    if (still.length > 0)
      this.#warn(`${name} keeps ${still.join(', ')} on: ${reason}; what it spoils is lost and counted`)
  }

  /** Last: the changes before make it the interface's. */
  #keepIpv6Mtu({ name, ipv6Mtu: before }: NicRecord): void {
    const now = ipv6Mtu(name)
    if (before === undefined || now === undefined || now === before) return
    try {
      setIpv6Mtu(name, before)
    } catch (error) {
      this.#warn(`${name} has an IPv6 MTU of ${now} instead of ${before}: ${reasonOf(error)}`)
    }
  }

  /** An interface that comes up would get a link-local address and ask the LAN for routers, which is not ours to do. */
  #silenceIpv6(record: NicRecord, slot: RecordSlot): void {
    const { name } = record
    if (!isIpv6On(name)) return
    record.ipv6Off = true
    slot.write(record)
    try {
      setIpv6(name, false)
    } catch (error) {
      record.ipv6Off = false
      this.#warn(
        `${name} speaks IPv6 of its own on the LAN, as it cannot be switched off (${reasonOf(error)}): ` +
          `sysctl -w net.ipv6.conf.${name.replaceAll('.', '/')}.disable_ipv6=1`,
      )
    }
  }
}

/** Tells whether something that is recorded may have changed. @throws SystemError ENODEV */
const lookAt = (name: string): string => `${name} ${linkAddress(name)} ${isLinkUp(name)}`

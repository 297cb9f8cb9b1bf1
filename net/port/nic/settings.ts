/**
 * What a bridged interface needs changed: up, IPv6 of its own off, an MTU that lets tagged and jumbo frames pass,
 * offloads that a packet socket can express. What it was is recorded before each change. Ports of any process that
 * bridge one interface share the settings: the last one to leave puts them back.
 */
import { release } from 'node:os'
import { reasonOf } from '#net/base/errors.ts'
import { linkFeatures, setFeatures } from '#net/port/nic/ethtool.ts'
import { isLinkUp, linkAddress, linkMtu, linkName, setLinkMtu, setLinkUp } from '#net/port/nic/link.ts'
import { isIpv6, linkAddresses } from '#net/port/nic/link-addresses.ts'
import { isIpv6On, setIpv6 } from '#net/port/nic/link-ipv6.ts'
import { mtuGoal, mtuSteps, mtuWarning } from '#net/port/nic/mtu.ts'
import { type OffloadChoice, chooseOffloads } from '#net/port/nic/offloads.ts'
import { type NicRecord, type Owner, isAlive, isSameOwner, newOwner } from '#net/port/nic/record.ts'
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

  constructor(use: NicUse, warn: Warn) {
    this.#use = use
    this.#warn = warn
  }

  /** Changes what must change on interface `index`. @throws SystemError when it cannot be brought up */
  apply(index: number): void {
    const name = linkName(index)
    const address = linkAddress(name)
    withRecord(index, undefined, this.#warn, (slot) => {
      const record: NicRecord = {
        ...inherit(slot.read(), name, address, this.#warn),
        index,
        name,
        address,
      }
      record.owners.push(this.#owner)
      this.#record = record
      const addresses = linkAddresses(index)
      this.#raiseMtu(record, slot, addresses.length > 0)
      this.#switchOffloadsOff(record, slot)
      if (!isLinkUp(name)) {
        const isUplink = this.#use.isUplink === true
        if (!isUplink && !addresses.some(isIpv6)) this.#silenceIpv6(record, slot)
        record.broughtUp = !isUplink
        slot.write(record)
        setLinkUp(name, true)
      }
      slot.write(record)
    })
  }

  /** To be called when the interface changed: what somebody else decides meanwhile is not ours to restore. */
  follow(): void {
    const known = this.#record
    if (known === undefined) return
    const name = linkName(known.index)
    const address = linkAddress(name)
    const broughtUp = known.broughtUp && isLinkUp(name)
    if (broughtUp === known.broughtUp && address === known.address) return
    withRecord(known.index, known, this.#warn, (slot) => {
      this.#record = { ...(slot.read() ?? known), broughtUp, address, name }
      slot.write(this.#record)
    })
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
      undoChanges(record, this.#warn)
      slot.write(undefined)
    })
  }

  #raiseMtu(record: NicRecord, slot: RecordSlot, hasAddress: boolean): void {
    const { name } = record
    const found = record.mtu
    const now = linkMtu(name)
    const { mtu: asked, isUplink = false } = this.#use
    const goal = mtuGoal({ asked, hasAddress, isUplink })
    let refusal = ''
    for (const step of mtuSteps(goal, now)) {
      record.mtu = { before: found?.before ?? now, set: step }
      slot.write(record)
      try {
        setLinkMtu(name, step)
        break
      } catch (error) {
        refusal ||= reasonOf(error)
        record.mtu = found
      }
    }
    const mtu = linkMtu(name)
    if (mtu < goal.due) this.#warn(mtuWarning(name, mtu, refusal))
  }

  #switchOffloadsOff(record: NicRecord, slot: RecordSlot): void {
    const { name } = record
    const choose = (): OffloadChoice => chooseOffloads(linkFeatures(name), release(), this.#use.offloads)
    const { off, stuck } = choose()
    const still = [...stuck]
    if (off.length > 0) {
      const found = record.featuresOff
      record.featuresOff = [...new Set([...found, ...off])]
      slot.write(record)
      setFeatures(name, off, false)
      const refused = choose().off
      record.featuresOff = record.featuresOff.filter((feature) => !refused.includes(feature))
      still.push(...refused)
    }
    if (still.length > 0)
      this.#warn(
        `${name} keeps ${still.join(', ')} on: the driver does not switch it off; what it spoils is lost and counted`,
      )
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

/** What a record still has to say of an interface: whose record it is, and who else bridges the interface. */
function inherit(
  found: NicRecord | undefined,
  name: string,
  address: string,
  warn: Warn,
): Pick<NicRecord, 'mtu' | 'broughtUp' | 'ipv6Off' | 'featuresOff' | 'owners'> {
  const owners = found?.owners.filter(isAlive) ?? []
  // Without a living owner, another address tells that this interface has only the number of the recorded one.
  if (found === undefined || (owners.length === 0 && found.address !== address))
    return { mtu: undefined, broughtUp: false, ipv6Off: false, featuresOff: [], owners: [] }
  if (owners.length < found.owners.length)
    warn(`${name} was left changed by a bridge that was killed: what it was before is put back at the end`)
  return {
    mtu: found.mtu?.set === linkMtu(name) ? found.mtu : undefined,
    broughtUp: found.broughtUp && isLinkUp(name),
    ipv6Off: found.ipv6Off && !isIpv6On(name),
    featuresOff: found.featuresOff,
    owners,
  }
}

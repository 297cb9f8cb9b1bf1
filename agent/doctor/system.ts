/** What checks ask of the machine and the hub through native code: loaded when koffi is known to be there. */
import type { Socket } from 'node:net'
import { release } from 'node:os'

import { listBridges, refusalOfBridge } from '#agent/bridge-list.ts'
import type { CarrierFacts } from '#agent/doctor/carrier.ts'
import { isClockKept } from '#agent/doctor/clock-kept.ts'
import { hubTime, measure } from '#agent/doctor/measurement.ts'
import type { MtuFacts } from '#agent/doctor/mtu.ts'
import type { Lookup } from '#agent/doctor/name-lookup.ts'
import type { NicFacts } from '#agent/doctor/nic.ts'
import type { Way } from '#agent/doctor/route.ts'
import { tryPromiscuous } from '#agent/doctor/test-frames.ts'
import { settleHub } from '#agent/hub.ts'
import { addressesOf, reasonOfSocket } from '#agent/way/tcp.ts'
import { bufferLimits } from '#net/port/far-buffers.ts'
import { bridgedBy, type BridgedBy } from '#net/port/nic/bridged-by.ts'
import { carriersOf } from '#net/port/nic/carrier.ts'
import { hasCarrier, linkFeatures, linkSpeed } from '#net/port/nic/ethtool.ts'
import { type Surroundings, surroundingsOf } from '#net/port/nic/hygiene.ts'
import { addressText } from '#net/port/nic/link-addresses.ts'
import { readLinks } from '#net/port/nic/link-table.ts'
import { canonicalName, isEthernet, isLinkUp, linkAddress, linkIndex, linkMtu } from '#net/port/nic/link.ts'
import { mtuLimit } from '#net/port/nic/mtu-limit.ts'
import { chooseOffloads, type OffloadChoice } from '#net/port/nic/offloads.ts'
import { sourceAddress } from '#net/port/socket-address.ts'
import { pathMtuOf } from '#net/port/tcp.ts'
import { descriptorOf } from '#net/port/tcp-info.ts'

const ANY_PORT = 9

/** By name as it was given; of one that exists, where nothing else is said. All throw SystemErrors. */
export const system = {
  nicFacts: (asked: string): NicFacts => {
    const links = readLinks()
    const index = linkIndex(asked)
    const link = links.find((one) => one.index === index)
    return {
      asked,
      name: link?.name,
      isEthernet: link !== undefined && isEthernet(link.name),
      address: link === undefined ? '' : linkAddress(link.name),
      kind: link?.kind ?? '',
      all: links.map(({ name }) => name).filter((name) => name !== 'lo'),
    }
  },
  carrierFacts: (asked: string): CarrierFacts => {
    const name = canonicalName(asked)
    return { name, isUp: isLinkUp(name), hasCarrier: hasCarrier(name), speed: linkSpeed(name) }
  },
  mtuFacts: (asked: string): MtuFacts => ({ now: linkMtu(asked), most: mtuLimit(linkIndex(asked)) }),
  offloadFacts: (asked: string): OffloadChoice => chooseOffloads(linkFeatures(asked), release()),
  surroundings: (asked: string): Surroundings & { readonly name: string } => {
    const name = canonicalName(asked)
    return { name, ...surroundingsOf(name, linkIndex(asked)) }
  },
  bridgedBy: (asked: string): BridgedBy | undefined => bridgedBy(linkIndex(asked)),
  tryPromiscuous: (asked: string) => tryPromiscuous(canonicalName(asked)),
  lookUp: async (host: string): Promise<Lookup> => {
    const began = performance.now()
    try {
      const addresses = await addressesOf(host)
      return { host, addresses, ms: performance.now() - began, problem: undefined }
    } catch (error) {
      return { host, addresses: [], ms: performance.now() - began, problem: reasonOfSocket(error) }
    }
  },
  waysTo: (addresses: readonly string[]): Way[] => addresses.map(wayTo),
  pathMtu: (socket: Socket): number | undefined => pathMtuOf(descriptorOf(socket)),
  bufferLimits,
  settleHub,
  listBridges,
  refusalOfBridge,
  hubTime,
  measure,
  isClockKept,
}
export type System = typeof system

function wayTo(address: string): Way {
  const octets = sourceAddress(address, ANY_PORT)
  if (octets === undefined) return { address, source: undefined, carriers: [], opaque: [] }
  const { certain, opaque } = carriersOf('', address)
  return {
    address,
    source: addressText(octets),
    carriers: [...certain],
    opaque: opaque.map(({ name }) => name),
  }
}

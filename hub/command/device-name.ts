/** Devices of running topologies by name: `TOPOLOGY/DEVICE`, or `DEVICE` where one topology alone has it. */
import { ProtocolError } from '#net/base/errors.ts'
import type { DeviceStatus, TopologyStatus } from '#hub/command/topology-status-text.ts'

export interface FoundDevice {
  readonly topology: string
  readonly device: DeviceStatus
}

export const fullName = ({ topology, device }: FoundDevice): string => `${topology}/${device.name}`

export const devicesOf = (topologies: readonly TopologyStatus[]): FoundDevice[] =>
  topologies.flatMap(({ name, devices }) => devices.map((device) => ({ topology: name, device })))

/** @throws ProtocolError `unknown-device`, or `ambiguous` with the full names */
export function findDevice(word: string, topologies: readonly TopologyStatus[]): FoundDevice {
  const found = devicesOf(topologies).filter((one) => fullName(one) === word || one.device.name === word)
  const [first, second] = found
  if (first === undefined)
    throw new ProtocolError(
      'unknown-device',
      `no running topology has a device ${word} (hybridge device list)`,
    )
  if (second !== undefined)
    throw new ProtocolError(
      'ambiguous',
      `${word} is in several topologies: ${found.map(fullName).join(', ')}`,
    )
  return first
}

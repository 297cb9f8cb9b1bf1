/** Topologies of a hub that a test runs: started, asked after, their devices' processes. */
import { chownSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { RpcClient } from '#net/base/rpc.ts'
import { deviceDirectory, DEVICE_SOCKET } from '#hub/base/device-paths.ts'
import type { TopologyStatus } from '#hub/supervisor/running-topology.ts'
import type { Hub } from '#test/support/hub.ts'

const STEP_MS = 50

async function ask(path: string, op: string, params = {}): Promise<unknown> {
  const client = new RpcClient(path)
  try {
    return await client.call(op, params)
  } finally {
    client.close()
  }
}

export async function topologyStatus(hub: Hub, name: string): Promise<TopologyStatus> {
  const all = (await ask(join(hub.data, 'run/control.sock'), 'topology.status')) as TopologyStatus[]
  const found = all.find((one) => one.name === name)
  if (found) return found
  throw new Error(`${name} is not running`)
}

/** Waits until a topology is as wanted. @returns how it is */
export async function untilTopology(
  hub: Hub,
  name: string,
  isSo: (status: TopologyStatus) => boolean,
  deadlineMs = 30_000,
): Promise<TopologyStatus> {
  const deadline = performance.now() + deadlineMs
  for (;;) {
    const status = await topologyStatus(hub, name)
    if (isSo(status)) return status
    if (performance.now() > deadline) throw new Error(`${name} stays ${JSON.stringify(status)}`)
    await new Promise((resolve) => setTimeout(resolve, STEP_MS))
  }
}

/** Puts a topology of one file into the hub, and has it started. */
export async function beginTopology(hub: Hub, name: string, text: string): Promise<void> {
  const { uid, gid } = statSync(hub.data)
  for (const path of ['topologies', `topologies/${name}`, `topologies/${name}/set`]) {
    mkdirSync(join(hub.data, path), { recursive: true, mode: 0o710 })
    chownSync(join(hub.data, path), uid, gid)
  }
  writeFileSync(join(hub.data, `topologies/${name}/set/${name}.vmm`), text, { mode: 0o644 })
  await ask(join(hub.data, 'run/control.sock'), 'topology.start', { name })
}

/** The same, and waits until all its devices run. */
export async function startTopology(hub: Hub, name: string, text: string): Promise<TopologyStatus> {
  await beginTopology(hub, name, text)
  return untilTopology(hub, name, ({ state, devices }) =>
    [state, ...devices.map((device) => device.state)].every((one) => one === 'running'),
  )
}

/** The process that holds a device. @param number  its place in the topology, from 1 */
export async function devicePid(hub: Hub, topology: string, number: number): Promise<number> {
  const status = await ask(join(hub.data, deviceDirectory(topology, number), DEVICE_SOCKET), 'status')
  return (status as { pid: number }).pid
}

/** Has a device reset or rebuilt. */
export async function askDevice(
  hub: Hub,
  what: 'reset' | 'rebuild',
  topology: string,
  device: string,
): Promise<void> {
  await ask(join(hub.data, 'run/supervisor.sock'), `device.${what}`, { topology, device })
}

/**
 * A fabric process: switches, ports, run to completion; the hub's own, or that of the topology which its argument names.
 * Its working directory is the data directory; its configuration is run/fabric.json or run/TOPOLOGY:fabric.json, written
 * by the supervisor. The hub's own keeps CAP_NET_RAW and CAP_NET_ADMIN, nothing else; a topology's keeps nothing.
 */
import { lchownSync } from 'node:fs'
import { ProtocolError, reasonOf } from '#net/base/errors.ts'
import { inlineWayOfFrames } from '#net/base/inlining.ts'
import { openChildLog } from '#hub/base/log.ts'
import { fabricSockets, topologyOf } from '#hub/base/fabric-sockets.ts'
import { CAP_NET_ADMIN, CAP_NET_RAW, dropTo, processUsers } from '#hub/base/privilege.ts'
import { claimSocketPath, listenRpc } from '#net/base/rpc.ts'
import { identityOf, readProcessConfig } from '#hub/base/process-config.ts'
import { listenUnix } from '#hub/base/unix-listener.ts'
import {
  DeviceUpParams,
  parseParams,
  PortSetParams,
  BridgeSetParams,
  PortsParams,
  ResetParams,
  WatchParams,
} from '#hub/base/bridge-params.ts'
import type { Say } from '#hub/fabric/attachment.ts'
import { Captures } from '#hub/fabric/captures.ts'
import { Fabric, type FabricConfig } from '#hub/fabric/fabric.ts'
import { Watch } from '#hub/fabric/watch.ts'
import { answerTunnel } from '#hub/fabric/tunnel-socket.ts'

/** The metrics process, and each gateway once. */
const MOST_COUNTER_READERS = 72

const topology = process.argv[2]
const name = topology === undefined ? 'fabric' : `${topology}:fabric`
const sockets = fabricSockets(topology)
const log = openChildLog(name)
const die = (error: unknown): never => {
  log.fatal({ err: error }, reasonOf(error))
  process.exit(1)
}
process.on('uncaughtException', die)
process.on('unhandledRejection', die)

inlineWayOfFrames()
const { text: written, fingerprint } = readProcessConfig(name)
const config: FabricConfig = JSON.parse(written)
const users = processUsers()
for (const path of Object.values(sockets)) await claimSocketPath(path)

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)
const rpc = await listenRpc(
  sockets.rpc,
  {
    ports: (params) => fabric.ports(text(params['bridge'])),
    macs: (params) => fabric.addresses(text(params['bridge'])),
    vlans: (params) => fabric.vlans(text(params['bridge'])),
    rstp: (params) => fabric.rstp(text(params['bridge'])),
    bridges: () => fabric.bridges(),
    'port.set': (params) => {
      const { bridge, port, settings } = parseParams(PortSetParams, params)
      fabric.setPort(bridge, port, settings)
    },
    'bridge.set': (params) => {
      const { bridge, settings } = parseParams(BridgeSetParams, params)
      fabric.setBridge(bridge, settings)
    },
    'counters.reset': (params) => {
      const { bridge, port } = parseParams(ResetParams, params)
      fabric.resetCounters(bridge, port)
    },
    'device.up': (params) => fabric.deviceUp(parseParams(DeviceUpParams, params).device),
    watch: (params) => watch.read(fabric, parseParams(WatchParams, params)),
    'bridge.add': (params) => {
      const { bridge } = parseParams(PortsParams, params)
      if (topology === undefined || topologyOf(bridge) !== topology)
        throw new ProtocolError('bad-params', 'bridges are added to topologies, under their name')
      fabric.addBridge(bridge)
    },
    status: () => ({ ...identityOf(fingerprint), problems: fabric.problems() }),
  },
  { onFailure: (op, error) => log.error({ op, err: error }, 'operation failed') },
)
const counters = await listenRpc(
  sockets.counters,
  {
    counters: () => fabric.counters(),
    ports: (params) => fabric.ports(parseParams(PortsParams, params).bridge),
  },
  { maxInFlight: 1, maxConnections: MOST_COUNTER_READERS, mode: users ? 0o660 : 0o600 },
)
const listener = listenUnix(sockets.tunnel, 0o660, (fd) => answerTunnel(fd, fabric))
const captureListener = listenUnix(sockets.capture, 0o660, (fd) => captures.answer(fd))
if (users)
  for (const path of Object.values(sockets)) {
    lchownSync(path, users.service.uid, users.gateway.gid)
  }
const stop = (): void => {
  log.info('stopping')
  listener.close()
  captureListener.close()
  captures.close()
  watch.close()
  fabric.close()
  void Promise.all([rpc.close(), counters.close()]).then(() => setImmediate(() => process.exit(0)))
}
// Before interfaces are changed: a signal that nobody takes ends the process without putting them back. It is acted on
// when all of this has been run.
process.once('SIGTERM', stop)
process.once('SIGINT', stop)
const watch = new Watch()
const say: Say = (level, line) => {
  log[level](line)
  watch.events.add(line, Date.now())
}
const fabric = new Fabric(config, say, () => performance.now())
const captures = new Captures(fabric, say)
// Interfaces are opened above, as /dev/net/tun may be root's alone; nothing is read from them before the event loop.
dropTo(users?.service, topology === undefined ? [CAP_NET_RAW, CAP_NET_ADMIN] : [], fabric.vdeGroups)
log.info('ready')

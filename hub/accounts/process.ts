/**
 * The control process: accounts, authentication for the gateways, and the operators' socket. Its working directory is
 * the data directory. It is ready when its sockets exist; SIGTERM ends it. `HYBRIDGE_LOG` is its log's level.
 */
import { existsSync, lchownSync } from 'node:fs'
import { SystemError, reasonOf } from '#net/base/errors.ts'
import { ACCOUNTS_FILE, AUTH_SOCKET, CONTROL_SOCKET, SUPERVISOR_SOCKET } from '#hub/base/data-directory.ts'
import { DEFAULT_MANAGEMENT_NETWORK } from '#hub/base/management-network.ts'
import { fabricSockets } from '#hub/base/fabric-sockets.ts'
import { type Logger, openChildLog } from '#hub/base/log.ts'
import { identityOf, readProcessConfig } from '#hub/base/process-config.ts'
import { dropTo, processUsers } from '#hub/base/privilege.ts'
import { RpcClient, callOnce, claimSocketPath, listenRpc } from '#net/base/rpc.ts'
import { Authenticator } from '#hub/accounts/authenticator.ts'
import { Fabrics } from '#hub/accounts/fabrics.ts'
import { ActiveTopologies } from '#hub/topology/active.ts'
import { RunningPlans } from '#hub/topology/running-plans.ts'
import { bridgeHandlers } from '#hub/accounts/bridge-operations.ts'
import { connectorHandlers, type HubPlace } from '#hub/accounts/connector-operations.ts'
import { authHandlers, deviceHandlers, topologyHandlers } from '#hub/accounts/operations.ts'
import { TopologyLibrary } from '#hub/topology/library.ts'
import { libraryHandlers } from '#hub/topology/library-operations.ts'
import { AccountStore } from '#hub/accounts/store.ts'

export interface ControlConfig {
  /** The hub's own: its host key's fingerprint. */
  readonly identity: string
  /** Names of `hybridge serve --bridge`. */
  readonly bridges: readonly string[]
  readonly place: HubPlace
  /** Out of which each topology has its management network. */
  readonly managementNetwork: string
}

const CONFIG = 'run/control.json'
const ASK_TIMEOUT_MS = 10_000
const WITHOUT_HUB: ControlConfig = {
  identity: '',
  bridges: [],
  place: { ssh: { address: '127.0.0.1', port: 2222 } },
  managementNetwork: DEFAULT_MANAGEMENT_NETWORK,
}

async function main(log: Logger): Promise<void> {
  const users = processUsers()
  const { text, fingerprint } = existsSync(CONFIG)
    ? readProcessConfig('control')
    : { text: '{}', fingerprint: '' }
  const config: ControlConfig = { ...WITHOUT_HUB, ...JSON.parse(text) }
  const identity = identityOf(fingerprint)
  process.umask(0o077)
  const store = AccountStore.open(ACCOUNTS_FILE, users?.service)
  const fabric = new RpcClient(fabricSockets().rpc)
  const supervisor = new RpcClient(SUPERVISOR_SOCKET)
  const running = new RunningPlans((fault) => log.error(fault))
  const fabrics = new Fabrics({
    hub: config.bridges,
    topologies: () => running.list(),
    call: (topology, op, params, timeoutMs = ASK_TIMEOUT_MS) =>
      topology === undefined
        ? fabric.call(op, params, timeoutMs)
        : callOnce(fabricSockets(topology).rpc, op, params, timeoutMs),
  })
  const active = new ActiveTopologies(supervisor, config.identity, config.managementNetwork)
  const library = new TopologyLibrary()
  const options = {
    onFailure: (op: string, error: unknown) => log.error({ op, err: error }, 'operation failed'),
  }
  await claimSocketPath(AUTH_SOCKET)
  await claimSocketPath(CONTROL_SOCKET)
  // From here to the drop of privileges nothing waits for the system: no connection is accepted before it.
  const auth = await listenRpc(
    AUTH_SOCKET,
    { ...authHandlers(new Authenticator(store), fabrics, log), ...deviceHandlers(supervisor, 'gateway') },
    { ...options, maxInFlight: 64, mode: users ? 0o660 : 0o600 },
  )
  const control = await listenRpc(
    CONTROL_SOCKET,
    {
      ...bridgeHandlers(fabrics, identity),
      ...connectorHandlers(fabrics, config.place),
      ...topologyHandlers(active, supervisor, store),
      ...libraryHandlers(library, active, supervisor),
      ...deviceHandlers(supervisor, 'operator'),
    },
    options,
  )
  if (users) {
    lchownSync(AUTH_SOCKET, users.service.uid, users.gateway.gid)
    lchownSync(CONTROL_SOCKET, users.service.uid, users.service.gid)
  }
  dropTo(users?.service, [])
  library.recover()
  log.info('ready')

  const stop = async (signal: string): Promise<void> => {
    log.info({ signal }, 'stopping')
    await Promise.all([auth.close(), control.close()])
    fabric.close()
    supervisor.close()
    store.close()
    process.exit(0)
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop(signal))
}

const log = openChildLog('control')
const die = (error: unknown): never => {
  log.fatal(error instanceof SystemError ? { code: error.code } : { err: error }, reasonOf(error))
  process.exit(1)
}
process.on('uncaughtException', die)
process.on('unhandledRejection', die)
await main(log).catch(die)

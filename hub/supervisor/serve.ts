/**
 * `hybridge serve`: starts the hub's processes, watches them, and ends them. It reads its configuration and what its
 * children log, and nothing from the network; started as root it alone stays root, to start the others.
 */
import { ConfigError, reasonOf } from '#net/base/errors.ts'
import { ServiceManager } from '#net/base/service-manager.ts'
import { programArguments } from '#net/program/arguments.ts'
import { prepareRecords } from '#net/port/nic/records-directory.ts'
import type { ControlConfig } from '#hub/accounts/process.ts'
import type { ListenAddress, ServeConfig, WebConfig } from '#hub/config.ts'
import { CONTROL_SOCKET, METRICS_SOCKET, prepareDataDirectory } from '#hub/base/data-directory.ts'
import { openSupervisorLog, relayLine } from '#hub/supervisor/log.ts'
import { LogFollower } from '#hub/base/log-follower.ts'
import { type Identity, forbidNewPrivileges, processUsers } from '#hub/base/privilege.ts'
import { fabricSockets } from '#hub/base/fabric-sockets.ts'
import type { FabricConfig } from '#hub/fabric/fabric.ts'
import { probeAddress } from '#hub/gateway/listen.ts'
import type { GatewayConfig } from '#hub/gateway/process.ts'
import type { MetricsConfig } from '#hub/metrics/process.ts'
import type { Certificate } from '#hub/gateway/web-door.ts'
import { announceCertificate, followCertificate, readCertificate } from '#hub/supervisor/certificate.ts'
import { Child } from '#hub/supervisor/child.ts'
import { freePort } from '#hub/supervisor/free-port.ts'
import { ensureHostKey } from '#hub/supervisor/host-key.ts'
import { claimSupervision } from '#hub/supervisor/lock.ts'
import { Topologies } from '#hub/supervisor/topologies.ts'
import { openTopologyDesk } from '#hub/supervisor/topology-desk.ts'

const HOST_KEY = 'ssh_host_ed25519_key'

/**
 * Runs until SIGTERM or SIGINT.
 * @param version  of the program, for the metrics
 * @returns the exit code
 */
export async function serve(config: ServeConfig, version: string): Promise<number> {
  // Of a thread, and inherited by the children: set here, it covers all their threads.
  forbidNewPrivileges()
  const users = processUsers()
  prepareDataDirectory(config.data, users)
  if (users && config.attach.some(({ kind }) => kind === 'nic')) prepareNicRecords(users.service)
  process.chdir(config.data)
  process.umask(0o077)
  claimSupervision()
  const log = openSupervisorLog(config.log)
  if (config.web?.https) readCertificate(config.web.https) // before anything is started
  const fingerprint = ensureHostKey(HOST_KEY, users?.service)
  log.info(`host key ${fingerprint}`)
  const fabricConfig: FabricConfig = {
    identity: fingerprint,
    bridges: config.bridges,
    attach: config.attach,
  }
  const logs = new LogFollower('log')
  const topologies = new Topologies({ config, users, identity: fingerprint, log, logs })
  topologies.find()
  const desk = await openTopologyDesk(topologies, users, log)

  const child = (name: string, program: readonly string[], socket: string, settings: object): Child =>
    new Child({ name, program, socket, config: settings, users, logLevel: config.log, log })
  const ssh = settlePort(config.ssh)
  const control = child('control', programOf('control'), CONTROL_SOCKET, {
    identity: fingerprint,
    bridges: config.bridges.map(({ name }) => name),
    place: { ssh, publicAddress: config.publicAddress },
    managementNetwork: config.managementNetwork,
  } satisfies ControlConfig)
  const fabric = child('fabric', programOf('fabric'), fabricSockets().rpc, fabricConfig)

  const names = [
    'control',
    'fabric',
    ...Array.from({ length: config.gateways }, (_, i) => `gateway-${i + 1}`),
  ]
  for (const name of config.metrics ? [...names, 'metrics'] : names)
    logs.follow(`${name}.log`, (line) => relayLine(log, name, line))
  const followers: { close(): void }[] = [logs]
  const manager = new ServiceManager(process.env)
  const { watchdogMs } = manager
  // That the children live is watched by this process, which starts them again: it is its own life that is told.
  const alive = watchdogMs === undefined ? undefined : setInterval(() => manager.alive(), watchdogMs / 2)
  let children: Child[] = [control, fabric]
  let stopping = false
  const stopAll = async (): Promise<void> => {
    stopping = true
    // Gateways first: they tell the agents, while the fabric still carries what is under way.
    await Promise.all(children.slice(2).map((gateway) => gateway.stop()))
    await desk.close()
    await topologies.close()
    await fabric.stop()
    await control.stop()
    for (const follower of followers) follower.close()
  }

  // Watched from the beginning: a signal during the start ends what has been started.
  const signal = new Promise<NodeJS.Signals>((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, () => resolve(name))
  })

  const startMetrics = async ({ address, port: wanted }: ListenAddress): Promise<void> => {
    const port = wanted === 0 ? freePort(address) : wanted
    const settings: MetricsConfig = { address, port, version }
    const metrics = child('metrics', programOf('metrics'), METRICS_SOCKET, settings)
    const adopted = await metrics.status().catch(() => undefined)
    if (stopping) return
    if (adopted === undefined) probeAddress(address, port, '--metrics')
    children.push(metrics)
    await metrics.start()
    log.info(`metrics: http://${hostOf(address)}:${port}/metrics`)
    if (!/^(127\.|::1$)/.test(address))
      log.warn(`metrics: whoever reaches ${address} can read them, as nobody is asked who he is`)
  }

  const serveWeb = async ({ https, http, path }: WebConfig, gateways: readonly Child[]): Promise<void> => {
    if (https) log.info(`https: wss://${hostOf(https.address)}:${https.port}${path}`)
    if (http) log.info(`http: a reverse proxy may pass on to ${hostOf(http.address)}:${http.port}${path}`)
    if (!https) return
    const pass = async (certificate: Certificate): Promise<void> => {
      announceCertificate(certificate, log)
      await Promise.all(gateways.map((gateway) => gateway.ask('certificate', { ...certificate })))
    }
    const onProblem = (error: unknown): void => log.error(`the certificate in use stays: ${reasonOf(error)}`)
    // Gateways that an earlier supervisor left may have one of its time.
    await pass(readCertificate(https))
    followers.push({
      close: followCertificate(https, (certificate) => void pass(certificate).catch(onProblem), onProblem),
    })
  }

  /** Undefined when it was told to stop meanwhile: nothing may be started then. */
  const start = async (): Promise<string | undefined> => {
    const [, fabricStart] = await Promise.all([control.start(), fabric.start()])
    if (stopping) return undefined
    if (!fabricStart.adopted) {
      const { problems } = await fabric.status()
      if (problems.length > 0) throw new ConfigError(problems.join('; '))
    }
    const { address, port } = ssh
    const web = config.web && settleWeb(config.web)
    const settings: GatewayConfig = {
      address,
      port,
      hostKeyFile: HOST_KEY,
      hidePorts: config.hidePorts,
      ...(web && { web }),
    }
    const gateways = names
      .slice(2)
      .map((name) => child(name, [...programOf('gateway'), name], `run/${name}.sock`, settings))
    const adopted = await Promise.all(gateways.map((gateway) => gateway.status().catch(() => undefined)))
    if (stopping) return undefined
    if (adopted.every((status) => status === undefined)) {
      probeAddress(address, port)
      if (web?.https) probeAddress(web.https.address, web.https.port, '--https')
      if (web?.http) probeAddress(web.http.address, web.http.port, '--http')
    }
    children = [control, fabric, ...gateways]
    await Promise.all(gateways.map((gateway) => gateway.start()))
    if (web) await serveWeb(web, gateways)
    if (config.metrics) await startMetrics(config.metrics)
    else await child('metrics', [], METRICS_SOCKET, {}).stop() // an earlier supervisor may have left it
    return `${hostOf(address)}:${port}`
  }

  try {
    const outcome = await Promise.race([start(), signal.then(() => undefined)])
    if (outcome !== undefined) {
      process.stdout.write(`ready ssh=${outcome}\n`)
      manager.ready()
      topologies.release()
      manager.status(`SSH on ${outcome}`)
      log.info(`stopping: ${await signal}`)
    }
    return 0
  } finally {
    manager.stopping()
    clearInterval(alive)
    await stopAll()
  }
}

/** Ports that are to be any free ones are chosen. */
const settleWeb = ({ https, http, path }: WebConfig): WebConfig => ({
  https: https && settlePort(https),
  http: http && settlePort(http),
  path,
})

const settlePort = <T extends ListenAddress>(wanted: T): T =>
  wanted.port === 0 ? { ...wanted, port: freePort(wanted.address) } : wanted

const hostOf = (address: string): string => (address.includes(':') ? `[${address}]` : address)

const programOf = (name: string): readonly string[] => programArguments(`hybridge-${name}`)

/** The fabric drops root's rights, and puts back at the end what it changed on network interfaces. */
function prepareNicRecords(owner: Identity): void {
  try {
    prepareRecords(owner)
  } catch {
    // The fabric will find the same, and tell.
  }
}

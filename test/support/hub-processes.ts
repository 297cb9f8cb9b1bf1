/** The processes of a hub, as the system sees them. */
import { readFileSync, readlinkSync } from 'node:fs'
import type { Hub } from '#test/support/hub.ts'
import { until } from '#test/support/process.ts'

export type HubProcess = 'supervisor' | 'control' | 'fabric' | 'metrics' | 'gateway-1' | 'gateway-2'

const read = (file: string): string => {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return '' // it ended meanwhile
  }
}

function nameOf(pid: number): string | undefined {
  const [, program = '', argument = ''] = read(`/proc/${pid}/cmdline`).split('\0')
  const [, name] = /\/hybridge(?:-(\w+))?\.js$/.exec(program) ?? ['', undefined]
  if (name === 'gateway') return argument
  if (name === 'fabric' && argument !== '') return `${argument}:fabric`
  return name ?? (program.endsWith('/hybridge.js') && argument === 'serve' ? 'supervisor' : undefined)
}

function isOf(hub: Hub, pid: number): boolean {
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === hub.data
  } catch {
    return false
  }
}

/** Name and pid of every process of the hub that runs. */
export function hubProcesses(hub: Hub): Map<string, number> {
  const found = new Map<string, number>()
  for (const pid of hub.namespace.pids()) {
    const name = isOf(hub, pid) ? nameOf(pid) : undefined
    if (name !== undefined) found.set(name, pid)
  }
  return found
}

/** @throws when it does not run */
export function pidOf(hub: Hub, name: HubProcess): number {
  const pid = hubProcesses(hub).get(name)
  if (pid === undefined) throw new Error(`${name} does not run`)
  return pid
}

/** Kills a process at once, and waits until it is gone. */
export async function killProcess(pid: number): Promise<void> {
  process.kill(pid, 'SIGKILL')
  await until(`process ${pid} is gone`, () => !isRunning(pid))
}

export function isRunning(pid: number): boolean {
  const state = /^State:\s+(\w)/m.exec(read(`/proc/${pid}/status`))?.[1]
  return state !== undefined && state !== 'Z' && state !== 'X'
}

/** A field of /proc/PID/status, such as `CapEff`. */
export function statusOf(pid: number, field: string): string {
  return new RegExp(`^${field}:[ \\t]*(.*)$`, 'm').exec(read(`/proc/${pid}/status`))?.[1] ?? ''
}

/** Resident memory in octets. */
export const residentOf = (pid: number): number => Number.parseInt(statusOf(pid, 'VmRSS')) * 1024

/** Lines of the hub's log (its standard error) from index `from` of `hub.process.lines` on. */
export interface LogLine {
  level: number
  process: string
  msg: string
}

export function hubLog(hub: Hub, from = 0): LogLine[] {
  return hub.process.lines
    .slice(from)
    .filter((line) => line.startsWith('{'))
    .map((line): LogLine => JSON.parse(line))
}

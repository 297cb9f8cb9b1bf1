/** Processes of a world, as the machine's /proc tells of them. */
import { readFileSync, readdirSync, readlinkSync, statSync } from 'node:fs'

/** Beyond these, a world's processes are not looked at. */
const MOST = 4096
/** stat(2) counts 512 octets. */
const BLOCKS_PER_KIB = 2

export interface ProcessMemory {
  readonly pid: number
  /** Memory that is its own, in KiB. */
  readonly kib: number
}

/** Those that a process has started, proc_pid_task_children(5). */
export function childrenOf(pid: number): number[] {
  const text = textOf(`/proc/${pid}/task/${pid}/children`)
  return text.split(' ').map(Number).filter(Boolean)
}

/** A process and all that descend from it. */
export function descendantsOf(pid: number): number[] {
  const found = [pid]
  for (let i = 0; i < found.length && found.length < MOST; i++) {
    const parent = found[i]
    if (parent !== undefined) found.push(...childrenOf(parent))
  }
  return found
}

/** Memory that is not of files, proc_pid_status(5), and what it holds open of files that are memory, memfd_create(2). */
export function memoryOf(pid: number): ProcessMemory {
  let kib = openMemoryOf(pid)
  for (const [, amount] of textOf(`/proc/${pid}/status`).matchAll(/^(?:RssAnon|RssShmem):\s+(\d+)/gm))
    kib += Number(amount)
  return { pid, kib }
}

/**
 * A text that is another one when any of the processes has run, or there are others: proc_pid_stat(5) and the scheduler's
 * count of nanoseconds. What short-lived threads do shows when it comes to a hundredth of a second. Undefined: the kernel
 * does not tell.
 */
export function activityOf(pids: readonly number[]): string | undefined {
  const parts = pids.map((pid) => textOf(`/proc/${pid}/schedstat`) + textOf(`/proc/${pid}/stat`))
  return parts.some((text) => text.startsWith('0 0 0')) ? undefined : parts.join('')
}

/** The one that has most, when all together have more than they may. */
export function greediest(processes: readonly ProcessMemory[], limitKib: number): ProcessMemory | undefined {
  let total = 0
  let most: ProcessMemory | undefined
  for (const one of processes) {
    total += one.kib
    if (most === undefined || one.kib > most.kib) most = one
  }
  return total > limitKib ? most : undefined
}

function openMemoryOf(pid: number): number {
  let kib = 0
  try {
    for (const fd of readdirSync(`/proc/${pid}/fd`))
      if (readlinkSync(`/proc/${pid}/fd/${fd}`).startsWith('/memfd:'))
        kib += statSync(`/proc/${pid}/fd/${fd}`).blocks / BLOCKS_PER_KIB
  } catch {
    // It ended meanwhile, or closed one.
  }
  return kib
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // it ended meanwhile
  }
}

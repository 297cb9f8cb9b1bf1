/** When a process began: with its pid, one process and no other. */
import { readFileSync } from 'node:fs'

/**
 * Clock ticks since the system's start, field 22 of /proc/PID/stat (proc_pid_stat(5)); undefined when there is no such
 * process, or it has ended and its parent has not asked how.
 */
export function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field, the name, is in brackets and may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const [state = ''] = fields
    return 'ZX'.includes(state) ? undefined : fields[19]
  } catch {
    return undefined
  }
}

/** What kind of container this runs in. */
import { existsSync, readFileSync } from 'node:fs'

/** `docker`, `podman`, `lxc`...; undefined: in none that says so. */
export function containerOf(env: NodeJS.ProcessEnv): string | undefined {
  const name = env['container'] ?? readFirst('/run/systemd/container')
  if (name !== undefined && /^[\w-]{1,32}$/.test(name)) return name
  if (existsSync('/.dockerenv')) return 'docker'
  if (existsSync('/run/.containerenv')) return 'podman'
  const kind = /\/(docker|lxc|kubepods|libpod|containerd)\b/.exec(readFirst('/proc/1/cgroup') ?? '')
  return kind?.[1]
}

function readFirst(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').slice(0, 4096).trim() || undefined
  } catch {
    return undefined
  }
}

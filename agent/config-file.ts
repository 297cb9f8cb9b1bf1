/** hconnect's configuration file: defaults of the command line, in YAML. */
import { readFileSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

import { isMap, isScalar, LineCounter, parseDocument } from 'yaml'
import { z } from 'zod'

import { parseProxy } from '#agent/proxy-address.ts'
import { ConfigError, reasonOf } from '#net/base/errors.ts'
import { MAX_MTU, MIN_MTU } from '#net/port/nic/mtu.ts'

/** As `--map` has it; `10: private0` is `10=private0`. */
const map = z.union([
  z.array(z.string()),
  z
    .record(z.string(), z.string())
    .transform((bridges) => Object.entries(bridges).map(([vlan, bridge]) => `${vlan}=${bridge}`)),
])

const schema = z.strictObject({
  nic: z.string().min(1).optional(),
  mtu: z.int().min(MIN_MTU).max(MAX_MTU).optional(),
  hub: z.string().min(1).optional(),
  user: z.string().min(1).optional(),
  bridge: z.string().min(1).optional(),
  map: map.optional(),
  identity: z.string().min(1).optional(),
  jump: z.string().min(1).optional(),
  proxy: z.string().min(1).optional(),
  ca: z.string().min(1).optional(),
  fingerprint: z.string().min(1).optional(),
})
export type ConfigFile = z.infer<typeof schema>

/** Places of the file; the first that exists is read, and no other. */
export function configPaths(env: NodeJS.ProcessEnv, home: string = homedir()): readonly string[] {
  const xdg = env['XDG_CONFIG_HOME']
  const base = xdg !== undefined && xdg.startsWith('/') ? xdg : join(home, '.config')
  return [join(base, 'hybridge/hconnect.yaml'), '/etc/hybridge/hconnect.yaml']
}

/** @throws ConfigError with file, line and column */
export function readConfigFile(paths: readonly string[]): ConfigFile {
  for (const path of paths) {
    let text: string
    try {
      text = readFileSync(path, 'utf8')
    } catch (error) {
      if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
        continue
      throw new ConfigError(`cannot read ${path}: ${reasonOf(error)}`, { cause: error })
    }
    const config = parseConfigFile(text, path)
    refuseSharedSecret(config, path)
    return config
  }
  return {}
}

/** @throws ConfigError with file, line and column */
export function parseConfigFile(text: string, path: string): ConfigFile {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const fail = (offset: number, reason: string): never => {
    const { line, col } = lines.linePos(offset)
    throw new ConfigError(`${path}:${line}:${col}: ${reason}`)
  }
  const [error] = document.errors
  if (error) fail(error.pos[0], error.message)
  const result = schema.safeParse(document.toJS({ maxAliasCount: 0 }) ?? {})
  if (result.success) return result.data
  const [issue] = result.error.issues
  const key = issue?.code === 'unrecognized_keys' ? issue.keys[0] : issue?.path[0]
  const reason = issue?.code === 'unrecognized_keys' ? 'there is no such setting' : issue?.message
  return fail(offsetOf(document, key), `${String(key ?? 'the file')}: ${reason ?? 'is not valid'}`)
}

/** @throws ConfigError when a password is in a file that others can read */
function refuseSharedSecret({ proxy }: ConfigFile, path: string): void {
  if (proxy === undefined || parseProxy(proxy, `proxy in ${path}`)?.password === undefined) return
  if (process.platform === 'win32' || (statSync(path).mode & 0o077) === 0) return
  throw new ConfigError(`${path} has a password in it, and others can read it: chmod 600 ${path}`)
}

function offsetOf(document: ReturnType<typeof parseDocument>, key: PropertyKey | undefined): number {
  if (!isMap(document.contents)) return 0
  const pair = document.contents.items.find((item) => isScalar(item.key) && item.key.value === key)
  return isScalar(pair?.key) ? (pair.key.range?.[0] ?? 0) : 0
}

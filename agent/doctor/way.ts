/** Which way leads to the hub, as options, environment and ssh's configuration say: straight, or through what. */
import { type Check, type Finding, failed, ok } from '#agent/doctor/finding.ts'
import { reasonOf } from '#net/base/errors.ts'

const VARIABLES = ['all_proxy', 'https_proxy', 'http_proxy']

/** The text of a proxy's address without user and password. */
export const masked = (proxy: string): string => proxy.replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/i, '$1***@')

/** Variables of the environment that programs take proxies from, in either case. */
const proxiesIn = (env: NodeJS.ProcessEnv): string[] =>
  VARIABLES.flatMap((name) => {
    const value = env[name] || env[name.toUpperCase()] || undefined
    return value === undefined ? [] : [`${name}=${masked(value)}`]
  })

/** @param steps  what is on the way, the nearest first; a text: why that cannot be said */
export function judgeWay(steps: readonly string[] | string, env: NodeJS.ProcessEnv): Finding {
  const environment = proxiesIn(env)
  if (typeof steps === 'string')
    return failed(steps, 'correct the option, variable or file that it names', { environment })
  const facts = { steps, environment }
  if (steps.length > 0) return ok(`through ${steps.join(', then ')}`, facts)
  if (environment.length === 0) return ok('straight to the hub', facts)
  return ok(`straight to the hub; ${environment.join(', ')} would be used for one of wss:// only`, facts)
}

export const wayCheck: Check = {
  name: 'way',
  title: 'way',
  needs: ['hub', 'koffi'],
  run: async ({ hub, env }) => judgeWay(await hub().then(({ steps }) => steps, reasonOf), env),
}

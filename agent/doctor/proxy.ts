/** Which proxy settings are in effect, without their passwords. */
import { type Check, type Finding, ok, warning } from '#agent/doctor/finding.ts'

const VARIABLES = ['all_proxy', 'https_proxy', 'http_proxy', 'no_proxy']

/** The text of a proxy's URL with the password taken out, and the user's name too. */
export function masked(proxy: string): string {
  return proxy.replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/i, '$1***@')
}

/** Variables of the environment that programs take proxies from, in either case. */
function proxiesIn(env: NodeJS.ProcessEnv): string[] {
  return VARIABLES.flatMap((name) => {
    const value = env[name] || env[name.toUpperCase()]
    return value === undefined || value === '' ? [] : [`${name}=${masked(value)}`]
  })
}

export function judgeProxy(env: NodeJS.ProcessEnv): Finding {
  const proxies = proxiesIn(env)
  const facts = { proxies }
  if (proxies.every((proxy) => proxy.startsWith('no_proxy='))) return ok('none is set', facts)
  return warning(
    `${proxies.join(', ')}: hconnect dials the hub itself and asks none`,
    'if the hub cannot be reached so, ask for TCP to its port to be let through',
    facts,
  )
}

export const proxyCheck: Check = {
  name: 'proxy',
  title: 'proxy',
  needs: [],
  run: ({ env }) => judgeProxy(env),
}

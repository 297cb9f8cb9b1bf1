/** Who the user is at a proxy: name and password of its address, the password asked for where that has none. */
import { EXIT_REFUSED, ExitError } from '#agent/exit-codes.ts'
import { type Login, nameOfProxy, type ProxyAddress } from '#agent/way/proxy-address.ts'
import type { Ask } from '#agent/login/terminal.ts'

export type AskLogin = (ask: Ask | undefined) => Promise<Login | undefined>

/** Gives name and password at each attempt; what was typed is kept. @throws ExitError when nobody can be asked */
export function proxyLogin(proxy: ProxyAddress): AskLogin {
  const { user } = proxy
  let { password } = proxy
  return async (ask) => {
    if (user === undefined) return undefined
    if (password === undefined && ask === undefined)
      throw new ExitError(
        EXIT_REFUSED,
        `no password for ${user} at the proxy ${nameOfProxy(proxy)}, and no terminal to ask for it: set ` +
          'HCONNECT_PROXY=http://USER:PASSWORD@HOST:PORT, or write it into the configuration file',
      )
    password ??= await ask?.(`Password of ${user} at the proxy ${nameOfProxy(proxy)}: `, true)
    return { user, password: password ?? '' }
  }
}

/**
 * @param scheme  of the proxy's address
 * @param said  what the proxy answered
 */
export function refusedLogin(
  proxy: string,
  scheme: ProxyAddress['kind'],
  login: Login | undefined,
  said: string,
): string {
  if (login === undefined)
    return `${proxy} wants a user name and a password (${said}): set HCONNECT_PROXY=${scheme}://USER:PASSWORD@HOST:PORT`
  const other = scheme === 'socks5' ? '' : ', or another method than Basic is wanted'
  return `${proxy} refuses user ${login.user} (${said}): wrong name or password${other}`
}

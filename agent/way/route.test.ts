import { beforeEach, describe, expect, it } from 'vitest'

import type { ConfigFile } from '#agent/config-file.ts'
import { parseArguments, settleTarget } from '#agent/options.ts'
import { agentSocketOf, knownHostsFilesOf, settleRoute } from '#agent/way/route.ts'
import { NO_SSH_CONFIG, type SshConfig } from '#agent/login/ssh-config.ts'

const logged: string[] = []
let hosts: Record<string, Partial<SshConfig>>
beforeEach(() => {
  logged.length = 0
  hosts = {}
})
const sshConfig = (host: string): Promise<SshConfig> => Promise.resolve({ ...NO_SSH_CONFIG, ...hosts[host] })

async function argumentsOf(line: string) {
  const args = await parseArguments(`-u ann -b private0 ${line}`.split(' '), '0')
  if (args === undefined) throw new Error('nothing to do')
  return args
}

const log = (text: string): void => void logged.push(text)

/** Host that TCP connects to. */
async function nearest(line: string, env: NodeJS.ProcessEnv = {}, config: ConfigFile = {}): Promise<string> {
  const args = await argumentsOf(line)
  const target = await settleTarget(args, env, config, sshConfig)
  return (await settleRoute(target, { args, env, config, sshConfig, log })).nearest
}

describe('settleRoute', () => {
  it('goes straight, or by what is nearest of proxy and jump hosts', async () => {
    expect(await nearest('-s hub')).toBe('hub')
    expect(await nearest('-s hub --jump gate,inner')).toBe('gate')
    expect(await nearest('-s hub --jump gate --proxy http://proxy:3128')).toBe('proxy')
    expect(await nearest('-s wss://hub/lab --ca /etc/ssl/certs/ca-certificates.crt')).toBe('hub')
  })

  it('takes the option, then the environment, then the file; none is none', async () => {
    const config = { proxy: 'http://of-file', jump: 'of-file' }
    const env = { HCONNECT_PROXY: 'socks5://of-environment' }
    expect(await nearest('-s hub --proxy https://of-option', env, config)).toBe('of-option')
    expect(await nearest('-s hub', env, config)).toBe('of-environment')
    expect(await nearest('-s hub', {}, config)).toBe('of-file')
    expect(await nearest('-s hub --proxy none', env, config)).toBe('of-file')
    expect(await nearest('-s hub --proxy none --jump none', env, config)).toBe('hub')
  })

  it("takes the environment's proxies of the web for wss:// only", async () => {
    const env = { HTTPS_PROXY: 'http://web', NO_PROXY: 'near.example' }
    expect(await nearest('-s hub', env)).toBe('hub')
    expect(await nearest('-s wss://hub', env)).toBe('web')
    expect(await nearest('-s wss://near.example', env)).toBe('near.example')
    expect(await nearest('-s wss://hub', { ...env, HCONNECT_PROXY: 'none' })).toBe('hub')
  })

  it("follows ssh's configuration: ProxyJump, and what it says of the jump hosts", async () => {
    hosts = { hub: { proxyJump: 'gate,inner' }, gate: { hostname: 'real.gate' } }
    expect(await nearest('-s hub')).toBe('real.gate')
    expect(await nearest('-s hub --jump none')).toBe('hub')
    expect(await nearest('-s hub --jump other')).toBe('other')
    expect(await nearest('-s wss://hub')).toBe('hub')
    expect(logged).toEqual([])
    hosts['gate'] = { proxyJump: 'before' }
    await nearest('-s hub')
    expect(logged).toEqual([expect.stringContaining('for the jump host gate is not followed')])
  })

  it('warns of a password that others can see', async () => {
    await nearest('-s hub --proxy http://ann@proxy')
    expect(logged).toEqual([])
    await nearest('-s hub --proxy http://ann:secret@proxy')
    expect(logged).toEqual([expect.stringContaining('others can read the password of --proxy')])
    expect(logged.join()).not.toContain('secret')
  })

  it.each([
    ['-s hub --fingerprint SHA256:ab', 'it goes with -s wss://HOST'],
    ['-s wss://hub --fingerprint SHA256:ab', 'bad fingerprint'],
    ['-s wss://hub --ca /nonexistent', 'cannot read certificates'],
    ['-s hub --jump a@', 'bad jump host'],
    ['-s hub --proxy proxy', 'is no proxy'],
  ])('refuses %s', async (line, why) => {
    await expect(nearest(line)).rejects.toThrow(why)
  })
})

it("asks the ssh-agent that ssh's configuration names, or none", () => {
  const env = { SSH_AUTH_SOCK: '/agent', OTHER: '/other' }
  const of = (ssh: Partial<SshConfig>) => agentSocketOf({ ...NO_SSH_CONFIG, ...ssh }, env)
  expect(of({})).toBe('/agent')
  expect(of({ identityAgent: '$OTHER' })).toBe('/other')
  expect(of({ identityAgent: '/third' })).toBe('/third')
  expect(of({ identityAgent: 'none' })).toBeUndefined()
  expect(of({ identitiesOnly: true })).toBeUndefined()
})

it("reads the known_hosts files of the option, then of ssh's configuration", async () => {
  const ssh = { ...NO_SSH_CONFIG, userKnownHosts: ['/a'], globalKnownHosts: ['/b'] }
  expect(knownHostsFilesOf(await argumentsOf('-s hub'), ssh)).toEqual(['/a', '/b'])
  expect(knownHostsFilesOf(await argumentsOf('-s hub --known-hosts /c'), ssh)).toEqual(['/c'])
  expect(knownHostsFilesOf(await argumentsOf('-s hub'), NO_SSH_CONFIG).length).toBe(4)
})

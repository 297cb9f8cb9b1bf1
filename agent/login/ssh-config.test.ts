import { expect, it } from 'vitest'

import { NO_SSH_CONFIG, parseSshConfig, readSshConfig } from '#agent/login/ssh-config.ts'

it("reads what hconnect uses of `ssh -G`'s output", () => {
  const output =
    'host hub\nuser ann\nhostname real.example\nport 2022\nportx 1\nidentityfile ~/.ssh/a\nidentityfile /b c\n'
  expect(parseSshConfig(output, '/home/ann')).toEqual({
    ...NO_SSH_CONFIG,
    hostname: 'real.example',
    port: 2022,
    user: 'ann',
    identityFiles: ['/home/ann/.ssh/a', '/b c'],
  })
})

it("takes ssh's default port for none", () => {
  expect(parseSshConfig('port 22\n', '/')).toEqual(NO_SSH_CONFIG)
})

it('asks ssh, and takes no host for an option', async () => {
  expect(await readSshConfig('hub.example', () => {})).toMatchObject({
    hostname: 'hub.example',
    port: undefined,
  })
  expect((await readSshConfig('-V', () => {})).port).toBeUndefined()
})

it('reads ways, keys and names of hosts', () => {
  const output =
    'proxyjump ann@gate:22,inner\nhostkeyalias lab\nidentitiesonly yes\nidentityagent ~/agent\n' +
    'userknownhostsfile ~/kh /tmp/kh none\nglobalknownhostsfile none\n'
  expect(parseSshConfig(output, '/home/ann')).toMatchObject({
    proxyJump: 'ann@gate:22,inner',
    hostKeyAlias: 'lab',
    identitiesOnly: true,
    identityAgent: '/home/ann/agent',
    userKnownHosts: ['/home/ann/kh', '/tmp/kh'],
    globalKnownHosts: [],
    ignored: [],
  })
})

it("takes ssh's usual files for none, wherever ssh thinks that the user is at home", () => {
  const output =
    'userknownhostsfile /root/.ssh/known_hosts /root/.ssh/known_hosts2\n' +
    'globalknownhostsfile /etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2\nidentityagent SSH_AUTH_SOCK\n'
  expect(parseSshConfig(output, '/home/ann', '/root')).toEqual(NO_SSH_CONFIG)
})

it('names what is set and not followed', () => {
  const output = 'proxycommand nc %h\nbindaddress 10.0.0.1\naddressfamily any\ncertificatefile none\n'
  expect(parseSshConfig(output, '/').ignored).toEqual(['ProxyCommand', 'BindAddress'])
})

it('says that ssh does not understand its configuration, and goes on', async () => {
  const said: string[] = []
  expect(await readSshConfig('-V', (text) => said.push(text))).toEqual(NO_SSH_CONFIG)
  expect(said).toEqual([expect.stringContaining("ssh's configuration is not followed: ")])
})

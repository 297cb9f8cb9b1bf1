import { expect, it } from 'vitest'

import { NO_SSH_CONFIG, parseSshConfig, readSshConfig } from '#agent/ssh-config.ts'

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

import { expect, it } from 'vitest'

import { readConfigFile } from '#agent/config-file.ts'

it('is the example of the Debian package, whole', () => {
  expect(readConfigFile(['docs/examples/hconnect.yaml'])).toMatchObject({
    hub: 'hub.example:2222',
    user: 'ann',
    bridge: 'private0',
    nic: 'eth1',
    identity: '/etc/hybridge/id_ed25519',
  })
})

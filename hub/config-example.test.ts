import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { mergeConfig, parseConfigFile } from '#hub/config.ts'

it('is the example of the Debian package', () => {
  const file = 'docs/examples/hub.yaml'
  expect(mergeConfig({}, parseConfigFile(readFileSync(file, 'utf8'), file), '/nowhere')).toMatchObject({
    data: '/var/lib/hybridge',
    ssh: { address: '0.0.0.0', port: 2222 },
    bridges: [{ name: 'private0' }],
    attach: [{ bridge: 'private0', kind: 'nic' }],
  })
})

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, describe, expect, it } from 'vitest'

import { parseEndpoints, wireguardEndpoints } from '#agent/lan/wireguard.ts'
import { addressOctets } from '#net/wire/ip-address.ts'

describe('parseEndpoints', () => {
  it('reads the address of each peer that has one, and the mark', () => {
    const said =
      'a2V5MQ==\t192.0.2.9:51820\na2V5Mg==\t[2001:db8::9]:51820\na2V5Mw==\t(none)\na2V5NA==\t[fe80::1%eth0]:1\n'
    expect(parseEndpoints(said, '0xca6c\n')).toEqual(
      ['192.0.2.9', '2001:db8::9', 'fe80::1'].map((address) => ({
        to: addressOctets(address),
        mark: 0xca6c,
      })),
    )
    expect(parseEndpoints('a2V5MQ==\t192.0.2.9:51820\n', 'off\n')).toEqual([
      { to: addressOctets('192.0.2.9'), mark: 0 },
    ])
  })

  it.each(['', '\n', 'a2V5\t', 'a2V5\t999.1.1.1:5', 'a2V5\t[::g]:5', '192.0.2.9:5'])(
    'takes nothing from %j',
    (said) => {
      expect(parseEndpoints(said, '')).toEqual([])
    },
  )
})

describe('wireguardEndpoints', () => {
  const path = process.env['PATH']
  const directory = mkdtempSync(join(tmpdir(), 'hybridge-wg-'))
  afterAll(() => {
    process.env['PATH'] = path
    rmSync(directory, { recursive: true })
  })

  it('asks `wg` for endpoints and mark of each interface, and leaves out those that it does not know', async () => {
    const says = `case "$*" in
      'show wg0 endpoints') printf 'a2V5MQ==\\t192.0.2.9:51820\\n' ;;
      'show wg0 fwmark') echo 0x5 ;;
      *) exit 1 ;;
    esac`
    writeFileSync(join(directory, 'wg'), `#!/bin/sh\n${says}\n`, { mode: 0o755 })
    process.env['PATH'] = `${directory}:${path}`
    expect(await wireguardEndpoints(['wg0', 'tun0'])).toEqual(
      new Map([['wg0', [{ to: addressOctets('192.0.2.9'), mark: 5 }]]]),
    )
  })
})

it('knows nothing of an interface that is not one of WireGuard', async () => {
  expect(await wireguardEndpoints(['lo', 'missing0'])).toEqual(new Map())
})

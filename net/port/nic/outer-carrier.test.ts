import { describe, expect, it } from 'vitest'
import type { Link } from '#net/port/nic/link-table.ts'
import { outerAmong } from '#net/port/nic/outer-carrier.ts'
import { addressOctets } from '#net/wire/ip-address.ts'
import { makeLink } from '#test/support/links.ts'

const FAR = addressOctets('192.0.2.9')
const WG = makeLink('wg0', 1, { kind: 'wireguard' })
const GRE = makeLink('gre1', 2, { kind: 'gre', remote: FAR })
const LINKS = [
  WG,
  GRE,
  makeLink('eth0', 3),
  makeLink('br0', 4, { kind: 'bridge' }),
  makeLink('eth1', 5, { master: 4 }),
  makeLink('eth2', 6),
]

/** Interfaces 3 and 4 have routes; `device` is the one of the way to the endpoints. */
const outer = (opaque: Link, device: number, endpoints: readonly Uint8Array[] = []): string[] =>
  [
    ...outerAmong(
      LINKS,
      [opaque],
      new Map(endpoints.length === 0 ? [] : [['wg0', endpoints.map((to) => ({ to }))]]),
      {
        to: () => device,
        all: () => new Set([3, 4]),
      },
    ),
  ].sort()

const EVERY = ['br0', 'eth0', 'eth1']

describe('outerAmong', () => {
  it('takes every interface with a route, and those below, where no endpoint is known', () => {
    expect(outer(WG, 3)).toEqual(EVERY)
  })

  it('takes those of the way to the endpoints, where they are known', () => {
    expect(outer(WG, 3, [FAR])).toEqual(['eth0'])
    expect(outer(WG, 4, [FAR])).toEqual(['br0', 'eth1'])
    expect(outer(GRE, 3)).toEqual(['eth0'])
  })

  it('takes every one where the way to an endpoint is not known, or leads into a VPN', () => {
    expect(outer(WG, 0, [FAR])).toEqual(EVERY)
    expect(outer(WG, 1, [FAR])).toEqual(EVERY)
    expect(outer(GRE, 1)).toEqual(EVERY)
  })

  it('passes the mark on by which the packets are routed', () => {
    const asked: unknown[] = []
    const endpoint = { to: FAR, mark: 51_820 }
    outerAmong(LINKS, [WG], new Map([['wg0', [endpoint]]]), {
      to: (question) => asked.push(question),
      all: () => new Set(),
    })
    expect(asked).toEqual([endpoint])
  })
})

import { describe, expect, it } from 'vitest'
import { linkIndex } from '#net/port/nic/link.ts'
import { parseLink, readLink, readLinks } from '#net/port/nic/link-table.ts'
import { attribute } from '#net/port/nic/rtnetlink.ts'
import { addressOctets } from '#net/wire/ip-address.ts'
import { makeLink } from '#test/support/links.ts'

const text = (value: string): Uint8Array => Buffer.from(`${value}\0`)
const number = (value: number): Uint8Array => Uint8Array.of(value, 0, 0, 0)

/** An answer to RTM_GETLINK with these attributes: name, kind and the kind's own attributes, then `more`. */
function message(
  name: string,
  kind: string,
  data: Uint8Array[],
  ...more: Uint8Array[]
): { type: number; body: Uint8Array } {
  const info = [attribute(1, text(kind)), attribute(2, Buffer.concat(data))]
  const header = new Uint8Array(16)
  header[4] = 7
  const made = kind === '' ? [] : [attribute(18, Buffer.concat(info))]
  return {
    type: 16,
    body: Uint8Array.from(Buffer.concat([header, attribute(3, text(name)), ...made, ...more])),
  }
}

describe('parseLink', () => {
  it('tells hardware, and what is built on others or is a port of them', () => {
    expect(parseLink(message('eth0', '', [], attribute(10, number(9))))).toEqual(
      makeLink('eth0', 7, { master: 9 }),
    )
    expect(parseLink(message('eth0.5', 'vlan', [], attribute(5, number(2))))).toEqual(
      makeLink('eth0.5', 7, { kind: 'vlan', link: 2 }),
    )
    expect(parseLink(message('veth', 'veth', [], attribute(5, number(3)), attribute(37, number(0))))).toEqual(
      makeLink('veth', 7, { kind: 'veth', link: 3, isAcross: true }),
    )
    expect(parseLink(message('wwan0', 'wwan', [], attribute(56, text('1-1'))))).toEqual(
      makeLink('wwan0', 7, { kind: 'wwan', isHardware: true }),
    )
  })

  it.each([
    ['gre', 7, '192.0.2.9'],
    ['ip6gre', 7, '2001:db8::9'],
    ['ipip', 3, '192.0.2.9'],
    ['sit', 3, '192.0.2.9'],
    ['vti', 5, '192.0.2.9'],
  ])('tells the far end of %s', (kind, type, address) => {
    const far = attribute(type, addressOctets(address))
    expect(parseLink(message('x', kind, [far]))).toEqual(
      makeLink('x', 7, { kind, remote: addressOctets(address) }),
    )
  })

  it('tells no far end that is any, or whose way is that of marked packets', () => {
    const far = attribute(7, addressOctets('192.0.2.9'))
    expect(parseLink(message('x', 'gre', [attribute(7, new Uint8Array(4))]))?.remote).toBeUndefined()
    expect(parseLink(message('x', 'gre', [far, attribute(20, number(1))]))?.remote).toBeUndefined()
    expect(parseLink(message('x', 'wireguard', [far]))?.remote).toBeUndefined()
  })

  it('takes answers that are cut short', () => {
    const { type, body } = message('x', 'gre', [attribute(7, addressOctets('192.0.2.9'))])
    for (let length = 0; length < body.length; length++)
      expect(parseLink({ type, body: body.subarray(0, length) })?.index ?? 7).toBe(7)
  })
})

it('finds the loopback among all, and alone', () => {
  const index = linkIndex('lo')
  expect(readLink(index)).toEqual(makeLink('lo', index))
  expect(readLinks()).toContainEqual(makeLink('lo', index))
  expect(readLink(2 ** 30)).toBeUndefined()
})

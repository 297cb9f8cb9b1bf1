import { describe, expect, it } from 'vitest'
import { ConfigError, reasonOf } from '#net/base/errors.ts'
import { Filter } from '#net/capture/filter.ts'
import { FILTER_FRAMES } from '#test/support/filter-frames.ts'
import { bytesPerCall } from '#test/support/allocation.ts'

/** Names of the frames that a filter takes. */
const taken = (text: string): string[] => {
  const filter = new Filter(text)
  return Object.entries(FILTER_FRAMES)
    .filter(([, octets]) => filter.matches(octets, 0, octets.length))
    .map(([name]) => name)
}
const names = (pattern: RegExp): string[] => Object.keys(FILTER_FRAMES).filter((name) => pattern.test(name))

const takesShort = (text: string): boolean => new Filter(text).matches(new Uint8Array(13), 0, 13)

describe('a filter', () => {
  // Untagged frames are compared with tcpdump itself, test/interop/capture-filter.test.ts.
  it.each([
    ['vlan', /tagged/],
    ['vlan 10', /tagged 10/],
    ['vlan 20', /in 20/],
    ['vlan 20 and not vlan 10', /^double-tagged 30 in 20/],
    ['not vlan and udp', /^(udp|dns|first fragment|dhcp)/],
    ['tcp port 80', /http/],
    ['host 10.0.0.1 and vlan', /10\.0\.0\.1 tagged/],
    ['(arp or icmp6)', /^(arp|ra)/],
    ['icmp or icmp6 and ip6', /^ra/],
    ['broadcast and less 64', /^(arp|short|dhcp)/],
  ])('takes by %s what it says, tags or none', (text, pattern) => {
    expect(taken(text)).toEqual(names(pattern))
  })

  it.each(['!arp', 'not arp', 'not(arp)', '! ( arp )', 'not not not arp', '((not arp))'])(
    'means the same by %s',
    (text) => {
      expect(taken(text)).toEqual(names(/^(?!arp)/))
    },
  )

  it('reads from left to right, and and or alike', () => {
    expect(taken('arp or icmp and ip')).toEqual(taken('(arp or icmp) and ip'))
    expect(taken('arp || icmp&&ip')).toEqual(taken('(arp or icmp) and ip'))
    expect(taken('arp or (icmp and ip)')).not.toEqual(taken('arp or icmp and ip'))
  })

  it.each([
    ['', 'column 1: the end is no test'],
    ['foo', 'column 1: "foo" is no test; there are host,'],
    ['10.0.0.1', 'column 1: "10.0.0.1" is no test; there are host,'],
    ['arp and', 'column 8: the end is no test'],
    ['arp arp', 'column 5: "arp" has no place here: tests are joined by and, or'],
    ['(arp', 'column 5: the end stands where ")" is expected'],
    ['arp)', 'column 4: ")" has no place here'],
    ['host example.org', 'column 6: "example.org" is no IP address (names are not looked up)'],
    ['host fe80::1%eth0', 'column 6: "fe80::1%eth0" is no IP address'],
    ['src', 'column 4: the end is no IP address'],
    ['net 10.0.0.0', 'column 5: "10.0.0.0" is no network, as 10.0.0.0/8'],
    ['net 10.0.0.0/33', 'column 5: "10.0.0.0/33" is no network'],
    ['net 10.0.0.1/8', 'column 5: "10.0.0.1/8" has bits beyond the length of its network'],
    ['tcp port http', 'column 10: "http" is no number of a port'],
    ['port 65536', 'column 6: "65536" is no number of a port'],
    ['portrange 5', 'column 11: "5" is no range of ports, as 1000-2000'],
    ['portrange 5-4', 'column 11: "5-4" is no range of ports'],
    ['ether host 10.0.0.1', 'column 12: "10.0.0.1" is no MAC address'],
    ['ether proto ip', 'column 13: "ip" is no EtherType, as 0x88cc'],
    ['vlan 4096', 'column 6: "4096" is no VLAN: 0 to 4095'],
    ['less x', 'column 6: "x" is no number of octets'],
    ['arp & arp', 'column 5: "&" has no place here'],
    ['constructor', 'column 1: "constructor" is no test'],
    ['('.repeat(70), 'column 66: "(" is inside more than 64 parentheses'],
    [`not ${'arp or '.repeat(200)}arp`, 'the filter is longer than 1024 characters'],
  ])('%j is refused: %s', (text, why) => {
    let error: unknown
    try {
      error = new Filter(text)
    } catch (thrown) {
      error = thrown
    }
    expect(error).toBeInstanceOf(ConfigError)
    expect(reasonOf(error)).toContain(why)
  })

  it('takes nothing of a frame without a header but what asks for its length', () => {
    expect(
      ['vlan', 'broadcast', 'ether src 0:0:0:0:0:0', 'ip', 'host 0.0.0.0', 'port 0'].map(takesShort),
    ).toEqual(Array(6).fill(false))
    expect(['less 13', 'not arp'].map(takesShort)).toEqual([true, true])
  })

  it('allocates nothing per frame', () => {
    const filter = new Filter(
      'vlan 10 or (src net 10.0.0.0/8 and tcp portrange 1-79) or host fd00::1 or ether multicast',
    )
    const frames = Object.values(FILTER_FRAMES)
    let n = 0
    const step = (): void => {
      const octets = frames[n++ % frames.length]
      if (octets !== undefined) filter.matches(octets, 0, octets.length)
    }
    expect(bytesPerCall(step)).toBeLessThan(1)
  })
})

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import {
  ctime,
  formatCheck,
  formatEventJson,
  formatReport,
  formatReportJson,
  formatStart,
  formatVersion,
  type LinkReading,
  type PortReading,
  type RemoteReading,
} from '#agent/report.ts'

const reading = (inFrames: number, inOctets: number, outFrames: number, outOctets: number): PortReading => ({
  active: true,
  qnq: 0,
  strict: false,
  untaggedVlan: 0,
  counters: { inFrames, inOctets, outFrames, outOctets, inDrops: {}, outDrops: {} },
})
const date = new Date(2011, 3, 11, 19, 37, 50)
const link: LinkReading = {
  state: 'connected',
  hub: '10.0.0.1',
  bridge: 'private0',
  nic: 'eth1',
  roundTripMs: undefined,
  connections: 1,
  reconnects: 0,
  since: date.getTime(),
  attempt: 0,
  reason: '',
}
const whole = (port: PortReading): RemoteReading => ({
  bridge: 'private0',
  vlan: undefined,
  port,
  outage: undefined,
})

describe('formatReport', () => {
  it("is the guide's, octet by octet", () => {
    expect(formatReport(date, link, reading(27, 2358, 20, 1904), [whole(reading(20, 1904, 27, 2358))]))
      .toBe(`\
--------------------------------------
date: Mon Apr 11 19:37:50 2011
--------------------------------------
Port 0001: Local Hybridge connection
Port 0002: Remote Hybridge connection
Port 0001 untagged_vlan=0000 QnQ,Strict=0000,0 ACTIVE - Unnamed Allocatable
 IN:  pkts         27          bytes                 2358
 OUT: pkts         20          bytes                 1904
Port 0002 untagged_vlan=0000 QnQ,Strict=0000,0 ACTIVE - Unnamed Allocatable
 IN:  pkts         20          bytes                 1904
 OUT: pkts         27          bytes                 2358
`)
  })

  it('says INACTIVE, QinQ settings, and figures wider than their column', () => {
    const port: PortReading = {
      ...reading(2 ** 40, 2 ** 52, 0, 0),
      active: false,
      qnq: 7,
      strict: true,
      untaggedVlan: 12,
    }
    expect(formatReport(date, link, port, [whole(reading(0, 0, 0, 0))])).toContain(`\
Port 0001 untagged_vlan=0012 QnQ,Strict=0007,1 INACTIVE - Unnamed Allocatable
 IN:  pkts 1099511627776          bytes     4503599627370496
`)
  })
})

const outage = { since: date.getTime() - 65_000, attempt: 3, reason: 'no answer within 2.0 s' }

describe('formatReport of what does not work', () => {
  it('says since when and why, above the ports, while it is disconnected', () => {
    const lines = formatReport(date, { ...link, state: 'disconnected', ...outage }, reading(0, 0, 0, 0), [
      whole(reading(0, 0, 0, 0)),
    ]).split('\n')
    expect(lines.slice(2, 5)).toEqual([
      '--------------------------------------',
      'disconnected since Mon Apr 11 19:36:45 2011, attempt 3: no answer within 2.0 s',
      'Port 0001: Local Hybridge connection',
    ])
    expect(lines[6]).toMatch(/^Port 0001 untagged_vlan/)
  })

  it('says of several connections how many there are', () => {
    const text = formatReport(date, { ...link, connections: 4 }, reading(0, 0, 0, 0), [
      whole(reading(0, 0, 0, 0)),
    ])
    expect(text.split('\n').slice(3, 5)).toEqual([
      '4 connections to the hub',
      'Port 0001: Local Hybridge connection',
    ])
  })

  it('names bridge and VLAN of each tunnel of a map, and the bridge that is away', () => {
    const port = reading(0, 0, 0, 0)
    const lines = formatReport(date, link, port, [
      { ...whole(port), vlan: 0 },
      { bridge: 'lab/private1', vlan: 20, port: { ...port, untaggedVlan: 20, strict: true }, outage },
    ]).split('\n')
    expect(lines.slice(3, 7)).toEqual([
      'lab/private1 away since Mon Apr 11 19:36:45 2011, attempt 3: no answer within 2.0 s',
      'Port 0001: Local Hybridge connection',
      'Port 0002: Remote Hybridge connection to private0, untagged',
      'Port 0003: Remote Hybridge connection to lab/private1, VLAN 20',
    ])
    expect(lines).toContain('Port 0003 untagged_vlan=0020 QnQ,Strict=0000,1 ACTIVE - Unnamed Allocatable')
  })
})

it('begins as the guide does', () => {
  expect(formatVersion('1.2.3') + formatCheck('10.233.255.254', true) + formatStart('10.233.255.254', 10))
    .toBe(`\
Hybridge Connector Version: 1.2.3
Checking connection to 10.233.255.254    [ok]
Starting Hybridge config connecting to 10.233.255.254
This command does not return. Ctrl-C to terminate the Hybridge connection.
The stats of the Hybridge connection will be displayed every 10 seconds until the connection is terminated
`)
  expect(formatCheck('hub', false)).toBe('Checking connection to hub    [failed]\n')
})

describe('ctime', () => {
  it('pads the day with a space', () => {
    expect(ctime(new Date(2026, 0, 4, 3, 2, 1))).toBe('Sun Jan  4 03:02:01 2026')
  })

  it('has 24 characters in local time, whatever the date', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date(1970, 0, 2), max: new Date(9999, 0), noInvalidDate: true }),
        (any) => {
          const text = ctime(any)
          expect(text).toHaveLength(24)
          expect(new Date(text).getTime()).toBe(Math.floor(any.getTime() / 1000) * 1000)
        },
      ),
    )
  })
})

describe('--json', () => {
  it('is one object a line with every counter, drops by reason and the state of the link', () => {
    const local = {
      ...reading(1, 60, 2, 120),
      counters: { ...reading(1, 60, 2, 120).counters, inDrops: { kernel: 3 } },
    }
    const text = formatReportJson(date, link, local, [{ ...whole(reading(2, 120, 1, 60)), vlan: 20, outage }])
    expect(text.indexOf('\n')).toBe(text.length - 1)
    expect(JSON.parse(text)).toEqual({
      type: 'report',
      time: date.toISOString(),
      state: 'connected',
      hub: '10.0.0.1',
      bridge: 'private0',
      nic: 'eth1',
      roundTripMs: null,
      connections: 1,
      reconnects: 0,
      since: date.toISOString(),
      attempt: 0,
      reason: '',
      ports: [
        {
          port: 1,
          name: 'local',
          active: true,
          qnq: 0,
          strict: false,
          untaggedVlan: 0,
          inFrames: 1,
          inOctets: 60,
          outFrames: 2,
          outOctets: 120,
          inDrops: { kernel: 3 },
          outDrops: {},
        },
        {
          port: 2,
          name: 'remote',
          active: true,
          qnq: 0,
          strict: false,
          untaggedVlan: 0,
          inFrames: 2,
          inOctets: 120,
          outFrames: 1,
          outOctets: 60,
          inDrops: {},
          outDrops: {},
          bridge: 'private0',
          vlan: 20,
          outage: { ...outage, since: new Date(outage.since).toISOString() },
        },
      ],
    })
    expect(formatReportJson(date, link, local, [whole(local)])).toContain('"vlan":null,"outage":null}')
  })

  it('has events in the same form', () => {
    expect(JSON.parse(formatEventJson(date, 'disconnected', { reason: 'gone' }))).toEqual({
      type: 'disconnected',
      time: date.toISOString(),
      reason: 'gone',
    })
  })
})

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mergeConfig, parseAttach, parseBridge, parseConfigFile, parseListenAddress } from '#hub/config.ts'

/** Kind of the error; empty when there is none. */
function errorOf(action: () => unknown): string {
  try {
    action()
    return ''
  } catch (error) {
    return error instanceof Error ? error.name : 'thrown'
  }
}

describe('parseListenAddress', () => {
  it('reads both families', () => {
    expect(parseListenAddress('0.0.0.0:2222')).toEqual({ address: '0.0.0.0', port: 2222 })
    expect(parseListenAddress('[::1]:0')).toEqual({ address: '::1', port: 0 })
  })

  it('refuses all else, and says what it wants', () => {
    for (const text of [
      '',
      '2222',
      ':2222',
      '::1:22',
      '1.2.3:1',
      '1.2.3.4:65536',
      '[1.2.3.4]:1',
      'hub:22',
      '1.2.3.4:',
    ]) {
      expect(() => parseListenAddress(text)).toThrow(/is no ADDRESS:PORT, as 0\.0\.0\.0:2222/)
    }
  })
})

describe('parseBridge', () => {
  it('reads name and ageing', () => {
    expect(parseBridge('private0')).toEqual({ name: 'private0', ageing: 300 })
    expect(parseBridge('a.b-c_1,ageing=10')).toEqual({ name: 'a.b-c_1', ageing: 10 })
    expect(parseBridge('a,vde=/run/a,vdemode=0660,vdegroup=lab').vde).toEqual({
      directory: '/run/a',
      mode: 0o660,
      group: 'lab',
    })
  })

  it('reads what bridge set takes of spanning tree and loop protection', () => {
    expect(parseBridge('v,rstp=on,priority=4096,loop-protection=off')).toEqual({
      name: 'v',
      ageing: 300,
      settings: { rstp: 'on', priority: '4096', 'loop-protection': 'off' },
    })
  })

  it.each([
    ['', /is no bridge name/],
    ['-x', /is no bridge name/],
    ['a/b', /is no bridge name/],
    ['a'.repeat(32), /is no bridge name/],
    ['a,ageing=9', /ageing=9 is not valid: it is 10 to 1000000 seconds/],
    ['a,ageing=1e3', /ageing=.* is not valid/],
    ['a,ageing=', /ageing=.* is not valid/],
    ['a,aging=30', /unknown option "aging"; known are ageing/],
    ['a,ageing=30,ageing=40', /given twice/],
    ['a,rstp=yes', /bridge a: rstp=yes is not valid: it is on or off/],
    ['a,rstp=on,max-age=40', /bridge a: .*do not go together/],
    ['a,loop-protection=no', /bridge a: loop-protection=no is not valid/],
    ['a,ageing', /ageing needs a value/],
    ['a,vde=lab', /bridge a: name the VDE directory from \/ on/],
    ['a,vde=/x,y', /unknown option "y".*may hold no comma/],
    ['a,vde,vdemode=9', /vdemode is three octal digits, as 660, not "9"/],
    ['a,vde,vdegroup=', /vdegroup is the name of a group/],
  ])('refuses %j', (text, message) => {
    expect(() => parseBridge(text)).toThrow(message)
  })
})

describe('parseAttach', () => {
  it('reads kind, interface, mode and mtu', () => {
    expect(parseAttach('lab=nic:eth1')).toEqual({ bridge: 'lab', kind: 'nic', argument: 'eth1' })
    expect(parseAttach('lab=tap:t0,mode=trunk,tagged=10+20-29,mtu=9216')).toEqual({
      bridge: 'lab',
      kind: 'tap',
      argument: 't0',
      mode: 'mode=trunk,tagged=10+20-29',
      mtu: 9216,
    })
    expect(parseAttach('lab=tap:t0,impair=delay=50ms+loss=1%').settings).toEqual({
      impair: 'delay=50ms+loss=1%',
    })
    expect(() => parseAttach('lab=tap:t0,impair=delay=50')).toThrow('impairment delay=50 is not valid')
    expect(parseAttach('lab=nic:eth1,block=dhcp+ra,storm=1000,mode=access,vlan=10')).toEqual({
      bridge: 'lab',
      kind: 'nic',
      argument: 'eth1',
      mode: 'mode=access,vlan=10',
      settings: { block: 'dhcp+ra', storm: '1000' },
    })
    expect(parseAttach('lab=vde:/tmp/sw=1,port=7,mode=access,vlan=3')).toEqual({
      bridge: 'lab',
      kind: 'vde',
      argument: '/tmp/sw=1',
      mode: 'mode=access,vlan=3',
      port: 7,
    })
  })

  it.each([
    [
      'lab=nic:eth1,block=arp',
      /"lab=nic:eth1,block=arp": block=arp is not valid: it is none, or of dhcp\+ra/,
    ],
    ['lab=nic:eth1,storm=0', /storm=0 is not valid: it is 1 to/],
    ['lab', /is no BRIDGE=KIND:ARGUMENT/],
    ['lab=eth1', /is no BRIDGE=KIND:ARGUMENT/],
    ['lab=wifi:x', /unknown kind "wifi"; known are nic, tap, vde/],
    ['lab=vde:x', /name the VDE switch's directory from \/ on/],
    ['lab=vde:/tmp/a,b', /unknown option "b".*may hold no comma/],
    ['lab=vde:/tmp/a,mtu=1500', /mtu says nothing of vde/],
    ['lab=vde:/tmp/a,port=0', /1 to 65535, not "0"/],
    ['lab=nic:eth1,port=1', /port says nothing of nic/],
    ['lab=nic:a-name-too-long1', /is no name of an interface/],
    ['lab=nic:..', /is no name of an interface/],
    ['lab=nic:eth1,mode=access', /"lab=nic:eth1,mode=access": port option vlan is missing/],
    ['lab=nic:eth1,vlan=10', /port option mode is missing/],
    ['lab=nic:eth1,speed=10', /unknown option "speed"/],
    ['lab=nic:eth1,mtu=10', /mtu is 68 to 9216/],
  ])('refuses %j', (text, message) => {
    expect(() => parseAttach(text)).toThrow(message)
  })

  it('answers any text with a result or an error for people', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        for (const parse of [parseAttach, parseBridge, parseListenAddress]) {
          expect(['', 'ConfigError']).toContain(errorOf(() => parse(text)))
        }
      }),
    )
  })
})

describe('parseConfigFile', () => {
  it('reads all settings, the data directory relative to the file', () => {
    const text = `
# the lab
data: lab
ssh: "[::]:2200"
bridges: [private0, "private1,ageing=60"]
attach:
  - private0=nic:eth1
gateways: 3
log: debug
`
    expect(parseConfigFile(text, '/etc/hub.yaml')).toEqual({
      data: '/etc/lab',
      ssh: { address: '::', port: 2200 },
      bridges: [
        { name: 'private0', ageing: 300 },
        { name: 'private1', ageing: 60 },
      ],
      attach: [{ bridge: 'private0', kind: 'nic', argument: 'eth1' }],
      gateways: 3,
      log: 'debug',
    })
    expect(parseConfigFile('', 'x')).toEqual({ bridges: [], attach: [] })
  })

  it('names line, column and path of every fault, in their order', () => {
    const text = `ssh: nowhere
bridges:
  - private0
  - "-"
port: 22
gateways: many
attach: private0=nic:eth1
`
    let message = ''
    try {
      parseConfigFile(text, 'hub.yaml')
    } catch (error) {
      message = String(error)
    }
    expect(message.split('\n').map((line) => line.replace(/^ConfigError: /, ''))).toEqual([
      'hub.yaml:1:1: ssh: "nowhere" is no ADDRESS:PORT, as 0.0.0.0:2222 or [::]:2222',
      expect.stringMatching(/^hub\.yaml:4:5: bridges\.1: "-" is no bridge name/),
      'hub.yaml:5:1: port: unknown setting',
      expect.stringMatching(/^hub\.yaml:6:1: gateways: Invalid input: expected number/),
      expect.stringMatching(/^hub\.yaml:7:1: attach: Invalid input: expected array/),
    ])
  })

  it('names the place of a syntax error, and survives what aliases can do', () => {
    expect(() => parseConfigFile('bridges: [a\nssh: x', 'hub.yaml')).toThrow(/^hub\.yaml:\d+:\d+: /)
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefgh'
      .split('')
      .map((name, i) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[i]}`).join(',')}]`)
      .join('\n')}`
    expect(() => parseConfigFile(bomb, 'hub.yaml')).toThrow(/hub\.yaml:1:1: Excessive/)
    expect(() => parseConfigFile('just text', 'hub.yaml')).toThrow(/hub\.yaml:1:1: /)
  })
})

const vdeDirectories = (vde: string | undefined, ...bridge: string[]): unknown[] =>
  mergeConfig({ vde, bridge }, undefined, '/d').bridges.map((made) => made.vde?.directory)

describe('mergeConfig', () => {
  it('serves HTTPS with a certificate, and a reverse proxy of this machine', () => {
    const file = parseConfigFile(
      'https: "[::]:443"\ncert: c.pem\nkey: /k.pem\nhttp: 127.0.0.1:8022\nhttps-path: /lab\n',
      '/etc/hub.yaml',
    )
    expect(mergeConfig({}, undefined, '/d').web).toBeUndefined()
    expect(mergeConfig({}, file, '/d').web).toEqual({
      https: { address: '::', port: 443, cert: '/etc/c.pem', key: '/k.pem' },
      http: { address: '127.0.0.1', port: 8022 },
      path: '/lab',
    })
    expect(mergeConfig({ http: '[::1]:80' }, undefined, '/d').web).toMatchObject({
      https: undefined,
      path: '/',
    })
  })

  it.each([
    [{ https: '0.0.0.0:443' }, 'needs --cert FILE and --key FILE'],
    [{ https: '0.0.0.0:443', cert: 'c' }, 'needs --cert FILE and --key FILE'],
    [{ cert: 'c', key: 'k' }, 'go with --https'],
    [{ http: '0.0.0.0:80' }, 'a reverse proxy connects to 127.0.0.1'],
    [{ http: '127.0.0.1:80', httpsPath: 'lab' }, 'is no path of a URL'],
    [{ http: '127.0.0.1:80', httpsPath: '/a?b' }, 'is no path of a URL'],
  ])('refuses %o', (args, why) => {
    expect(() => mergeConfig(args, undefined, '/d')).toThrow(why)
  })

  it('serves metrics where it is told to, the command line before the file', () => {
    const file = parseConfigFile('metrics: 127.0.0.1:9464', 'f')
    expect(mergeConfig({}, file, '/d').metrics).toEqual({ address: '127.0.0.1', port: 9464 })
    expect(mergeConfig({ metrics: '[::1]:9000' }, file, '/d').metrics).toEqual({ address: '::1', port: 9000 })
    expect(mergeConfig({}, undefined, '/d').metrics).toBeUndefined()
    expect(() => mergeConfig({ metrics: '9464' }, undefined, '/d')).toThrow('"9464" is no ADDRESS:PORT')
  })

  it('takes an address to be shown, and no other text', () => {
    const file = parseConfigFile('public-address: hub.example', 'f')
    expect(mergeConfig({}, file, '/d').publicAddress).toBe('hub.example')
    for (const text of ['hub.example:22', '192.0.2.1', '[2001:db8::1]', '[2001:db8::1]:2222', 'hüb'])
      expect(mergeConfig({ publicAddress: text }, file, '/d').publicAddress).toBe(text)
    for (const text of ['', 'a b', '-s', 'hub:', 'hub:0', 'hub:65536', '2001:db8::1', '[hub]', "hub'"])
      expect(() => mergeConfig({ publicAddress: text }, file, '/d')).toThrow(
        'is no HOST[:PORT], as hub.example',
      )
  })

  it('has defaults for everything', () => {
    expect(mergeConfig({}, undefined, '/var/lib/hybridge')).toEqual({
      data: '/var/lib/hybridge',
      ssh: { address: '0.0.0.0', port: 2222 },
      bridges: [],
      attach: [],
      gateways: 2,
      managementNetwork: '10.255.0.0/16',
      hidePorts: false,
      log: 'info',
    })
  })

  it('puts the command line before the file, and takes the lists of both', () => {
    const file = parseConfigFile(
      '{data: /f, bridges: [a, "b,ageing=20"], attach: [a=nic:e1], gateways: 4, management-network: 10.1.0.0/16, hide-ports: true, log: warn}',
      'f',
    )
    const merged = mergeConfig(
      {
        data: '/c',
        ssh: '127.0.0.1:0',
        bridge: ['b,ageing=30', 'c'],
        attach: ['c=tap:t1'],
        gateways: 1,
        managementNetwork: '10.2.0.0/16',
        hidePorts: false,
        log: 'debug',
      },
      file,
      '/d',
    )
    expect(merged).toEqual({
      data: '/c',
      ssh: { address: '127.0.0.1', port: 0 },
      bridges: [
        { name: 'a', ageing: 300 },
        { name: 'b', ageing: 30 },
        { name: 'c', ageing: 300 },
      ],
      attach: [
        { bridge: 'a', kind: 'nic', argument: 'e1' },
        { bridge: 'c', kind: 'tap', argument: 't1' },
      ],
      gateways: 1,
      managementNetwork: '10.2.0.0/16',
      hidePorts: false,
      log: 'debug',
    })
  })

  it.each([
    [{ attach: ['x=nic:e1'] }, /cannot attach nic:e1 to x: no such bridge \(add --bridge x\)/],
    [{ bridge: ['x', 'x'] }, /bridge x is named twice/],
    [{ bridge: ['x', 'y'], attach: ['x=nic:e1', 'y=nic:e1'] }, /e1 is attached twice, to x and to y/],
    [{ gateways: 0 }, /--gateways is a number from 1 to 64/],
    [{ gateways: NaN }, /--gateways/],
  ])('refuses %j', (args, message) => {
    expect(() => mergeConfig(args, undefined, '/d')).toThrow(message)
  })

  it('gives bridges their VDE directories', () => {
    expect(vdeDirectories(undefined, 'a', 'b,vde', 'c,vde=/run/c')).toEqual([undefined, '/d/vde/b', '/run/c'])
    expect(vdeDirectories('/v', 'a', 'b,vde', 'c,vde=/run/c')).toEqual(['/v/a', '/d/vde/b', '/run/c'])
    expect(() => vdeDirectories(undefined, 'a,vdemode=666')).toThrow(/say nothing without vde/)
    expect(() => vdeDirectories('/v', 'a', 'b,vde=/v/a')).toThrow(/\/v\/a is given twice, to a and to b/)
    expect(() => vdeDirectories(`/${'v'.repeat(91)}`, 'a')).toThrow(/has 94 octets.*room for 92/)
    expect(vdeDirectories(`/${'v'.repeat(89)}`, 'a')).toEqual([`/${'v'.repeat(89)}/a`])
    const file = parseConfigFile('{vde: v, bridges: [a]}', '/etc/hub.yaml')
    expect(mergeConfig({}, file, '/d').bridges[0]?.vde?.directory).toBe('/etc/v/a')
  })
})

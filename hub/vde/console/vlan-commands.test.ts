import { describe, expect, it } from 'vitest'
import { DROP_LOOP } from '#net/port/counters.ts'
import { ConsoleLab } from '#test/support/console-lab.ts'
import { BROADCAST, frameOf, host } from '#test/support/switch-lab.ts'

const SUCCESS = '1000 Success\n'
const INVALID = '1022 Invalid argument\n'
const ABSENT = '1006 No such device or address\n'
const IN_USE = '1098 Address already in use\n'
const EMPTY = "0000 DATA END WITH '.'\n.\n"

/** Ports 1 and 2 are up, port 3 is empty. */
function makeLab(): ConsoleLab {
  const lab = new ConsoleLab()
  lab.plug(1)
  lab.plug(2)
  lab.say('port/create 3')
  return lab
}

/** The mode of a port, as `set/print` writes it. */
function modeOf(lab: ConsoleLab, port: number): string {
  return lab.ask('set/print')[port]?.split(' mode=')[1] ?? 'transparent'
}

describe('vlan', () => {
  it('lists VLANs that were made, and those that ports name', () => {
    const lab = makeLab()
    expect(lab.say('vlan/create 4094')).toBe(SUCCESS)
    expect(lab.say('vlan/create 0xa')).toBe(SUCCESS)
    expect(lab.say('vlan/create 10')).toBe('1017 File exists\n')
    lab.say('set/port 3 mode=trunk,native=20,tagged=30-31')
    for (const word of ['', '0', '4095', '-1', 'x']) expect(lab.say(`vlan/create ${word}`)).toBe(INVALID)
    const vlans = (): string[] => lab.ask('vlan/print').filter((line) => line.startsWith('VLAN'))
    expect(vlans()).toEqual(['VLAN 0000', 'VLAN 0010', 'VLAN 0020', 'VLAN 0030', 'VLAN 0031', 'VLAN 4094'])
    expect(lab.say('vlan/remove 10')).toBe(SUCCESS)
    expect(lab.say('vlan/remove 10')).toBe(ABSENT)
    for (const vid of [0, 20, 31]) expect(lab.say(`vlan/remove ${vid}`)).toBe(IN_USE)
    lab.say('set/port 3 mode=trunk,native=20,tagged=all')
    expect(vlans()).toEqual(['VLAN 0000', 'VLAN 0020', 'VLAN 4094'])
  })

  it('prints the ports that carry them', () => {
    const lab = makeLab()
    lab.say('vlan/create 10')
    lab.say('port/setvlan 1 10')
    lab.say('port/setvlan 3 10')
    expect(lab.ask('vlan/print')).toEqual([
      'VLAN 0000',
      ' -- Port 0002 tagged=0 active=1 status=Forwarding',
      'VLAN 0010',
      ' -- Port 0001 tagged=0 active=1 status=Forwarding',
      ' -- Port 0002 tagged=1 active=1 status=Forwarding',
    ])
    expect(lab.ask('vlan/allprint 10')).toEqual([
      'VLAN 0010',
      ' -- Port 0001 tagged=0 active=1 status=Forwarding',
      ' -- Port 0002 tagged=1 active=1 status=Forwarding',
      ' -- Port 0003 tagged=0 active=0 status=Learning',
    ])
    expect(lab.ask('vlan/allprint 0')).toEqual([
      'VLAN 0000',
      ' -- Port 0002 tagged=0 active=1 status=Forwarding',
    ])
    expect(lab.say('vlan/print 11')).toBe(EMPTY + ABSENT)
    expect(lab.say('vlan/print 4095')).toBe(EMPTY + INVALID)
    lab.say('set/port 2 mode=tunnel,qnq=10')
    expect(lab.ask('vlan/print 10')[2]).toBe(' -- Port 0002 tagged=0 active=1 status=Forwarding')
  })
})

describe('the status of a port', () => {
  it('is what spanning tree and loop protection make of it', () => {
    const lab = makeLab()
    const status = (): (string | undefined)[] =>
      lab.ask('vlan/allprint 0').map((line) => /status=(\w+)/.exec(line)?.[1])
    expect(status()).toEqual([undefined, 'Forwarding', 'Forwarding', 'Learning'])
    const [one, two] = lab.bridge.switch.portList
    lab.say('set/bridge rstp=on')
    expect(status()).toEqual([undefined, 'Discarding', 'Discarding', 'Learning'])
    lab.say('set/bridge rstp=off')
    if (one) lab.bridge.switch.setStpState(one, 'learning')
    if (two) two.blocked = DROP_LOOP
    expect(status()).toEqual([undefined, 'Learning', 'Discarding', 'Learning'])
    lab.close()
  })
})

describe('a port in VLANs', () => {
  it.each([
    ['transparent', 'port/setvlan 1 10', 'trunk,native=10,tagged=none,tpid=8100'],
    ['transparent', 'port/setvlan 1 4095', 'trunk,native=none,tagged=none,tpid=8100'],
    ['transparent', 'vlan/addport 10 1', 'trunk,native=0,tagged=10,tpid=8100'],
    ['transparent', 'vlan/delport 10 1', 'trunk,native=0,tagged=none,tpid=8100'],
    ['access,vlan=20', 'port/setvlan 1 10', 'access,vlan=10'],
    ['access,vlan=20', 'port/setvlan 1 4095', 'trunk,native=none,tagged=none,tpid=8100'],
    ['access,vlan=20', 'vlan/addport 10 1', 'trunk,native=20,tagged=10,tpid=8100'],
    ['access,vlan=20', 'vlan/addport 20 1', 'access,vlan=20'],
    ['access,vlan=20', 'vlan/delport 10 1', 'access,vlan=20'],
    ['trunk,native=20,tagged=9+11', 'vlan/addport 10 1', 'trunk,native=20,tagged=9-11,tpid=8100'],
    ['trunk,native=20,tagged=9-11', 'vlan/delport 10 1', 'trunk,native=20,tagged=9+11,tpid=8100'],
    ['trunk,native=20,tagged=9-11', 'port/setvlan 1 10', 'trunk,native=10,tagged=9+11,tpid=8100'],
    ['trunk,native=10,tagged=30', 'port/setvlan 1 20', 'trunk,native=20,tagged=30,tpid=8100'],
    ['trunk,native=20,tagged=all', 'port/setvlan 1 10', 'trunk,native=10,tagged=1-9+11-19+21-4094,tpid=8100'],
    ['trunk,native=20,tagged=all', 'port/setvlan 1 4095', 'trunk,native=none,tagged=1-19+21-4094,tpid=8100'],
    ['trunk,tagged=all', 'vlan/addport 10 1', 'trunk,native=none,tagged=all,tpid=8100'],
    ['trunk,tagged=all', 'vlan/delport 10 1', 'trunk,native=none,tagged=1-9+11-4094,tpid=8100'],
  ])('of mode %s, after %s, is %s', (before, line, after) => {
    const lab = makeLab()
    for (const vid of [10, 20]) lab.say(`vlan/create ${vid}`)
    lab.say(`set/port 1 mode=${before}`)
    expect(lab.say(line)).toBe(SUCCESS)
    expect(modeOf(lab, 1)).toBe(after)
  })

  it('leaves the VLAN of its untagged frames only for another', () => {
    const lab = makeLab()
    lab.say('vlan/create 10')
    lab.say('port/setvlan 1 10')
    expect(lab.say('vlan/delport 10 1')).toBe(IN_USE)
    expect(lab.say('vlan/remove 10')).toBe(IN_USE)
    expect(lab.say('vlan/addport 10 1')).toBe(SUCCESS)
    expect(lab.say('port/setvlan 1 0')).toBe(SUCCESS)
    expect(modeOf(lab, 1)).toBe('trunk,native=0,tagged=none,tpid=8100')
    expect(lab.say('vlan/addport 0 1')).toBe(SUCCESS)
    lab.say('port/setvlan 1 10')
    expect(lab.say('vlan/addport 0 1')).toBe('1022 Invalid argument: VLAN 0 is untagged: port/setvlan\n')
  })

  it('and VLAN must be there', () => {
    const lab = makeLab()
    lab.say('vlan/create 10')
    for (const line of ['port/setvlan 1 11', 'port/setvlan 9 10', 'vlan/addport 11 1', 'vlan/addport 10 9'])
      expect(lab.say(line)).toBe(ABSENT)
    for (const line of [
      'port/setvlan',
      'port/setvlan 1',
      'port/setvlan 1 4096',
      'vlan/addport 10',
      'vlan/delport',
    ])
      expect(lab.say(line)).toBe(INVALID)
    expect(modeOf(lab, 1)).toBe('transparent')
  })

  it.each([
    ['tunnel,qnq=100', 'the port is a QinQ tunnel'],
    ['trunk,native=1,tpid=88a8', 'the port has tags of another TPID than 8100'],
  ])('is refused in mode %s', (mode, why) => {
    const lab = makeLab()
    lab.say('vlan/create 10')
    lab.say(`set/port 1 mode=${mode}`)
    const before = modeOf(lab, 1)
    for (const line of ['port/setvlan 1 10', 'vlan/addport 10 1', 'vlan/delport 10 1'])
      expect(lab.say(line)).toBe(`1022 Invalid argument: ${why}: "set/port 1 mode=..." changes it\n`)
    expect(modeOf(lab, 1)).toBe(before)
  })

  it('does as it is told with frames', () => {
    const lab = makeLab()
    for (const vid of [10, 20]) lab.say(`vlan/create ${vid}`)
    for (const line of ['port/setvlan 1 10', 'vlan/addport 10 2', 'vlan/addport 20 2']) lab.say(line)
    const [one, two] = [lab.ports.get(1), lab.ports.get(2)]
    one?.inject(frameOf(BROADCAST, host(1), ''))
    one?.inject(frameOf(BROADCAST, host(1), '8100.20'))
    two?.inject(frameOf(host(1), host(2), '8100.10'))
    expect(two?.take()).toEqual([frameOf(BROADCAST, host(1), '8100.10')])
    expect(one?.take()).toEqual([frameOf(host(1), host(2), '')])
    expect(one?.counters.read().inDrops).toEqual({ vlan: 1 })
    expect(lab.ask('hash/print')).toHaveLength(2)
    lab.say('vlan/delport 20 2')
    expect(lab.ask('hash/print').map((line) => line.replace(/^Hash: \d+ /, ''))).toEqual([
      'Addr: 02:00:00:00:00:01 VLAN 0010 to port: 001  age 0 secs',
    ])
  })
})

import { describe, expect, it } from 'vitest'
import { ConsoleLab } from '#test/support/console-lab.ts'
import { BROADCAST, frameOf, host } from '#test/support/switch-lab.ts'

const HEADER = ['CATEGORY               TAG STATUS HELP', '------------           --- ------ ----']

describe('debug', () => {
  it('lists kinds of events', () => {
    const lab = new ConsoleLab()
    lab.say('debug/add port/ep')
    expect(lab.ask('debug/list port')).toEqual([
      ...HEADER,
      'port/+                 021 OFF    a port is there, or up again',
      'port/-                 022 OFF    a port went down, or away',
      'port/descr             023 OFF    what an endpoint is',
      'port/ep/+              031 ON     an endpoint was plugged in',
      'port/ep/-              032 ON     an endpoint was unplugged',
    ])
    expect(lab.ask('debug/list')).toHaveLength(9)
    expect(lab.say('debug/list x')).toBe(
      `0000 DATA END WITH '.'\n${HEADER.join('\n')}\n.\n1002 No such file or directory\n`,
    )
  })

  it('is asked for once', () => {
    const lab = new ConsoleLab()
    expect(lab.say('debug/add hash')).toBe('1000 Success\n')
    expect(lab.say('debug/add hash/+')).toBe('1017 File exists\n')
    expect(lab.say('debug/add')).toBe('1000 Success\n')
    expect(lab.say('debug/add')).toBe('1017 File exists\n')
    expect(lab.say('debug/del')).toBe('1000 Success\n')
    expect(lab.say('debug/del')).toBe('1002 No such file or directory\n')
    for (const line of ['debug/add x', 'debug/del x']) expect(lab.say(line)).toBe('1022 Invalid argument\n')
  })

  it('tells of ports and endpoints, its own changes before the prompt', () => {
    const lab = new ConsoleLab()
    lab.plug(1)
    lab.say('debug/add port')
    expect(lab.say('port/create 7')).toBe('1000 Success\n3021 port/+ 07\n')
    lab.plugVde(7, { id: 9, uid: 0, description: 'one\n2' })
    lab.console.look()
    expect(lab.session.takeEvents()).toBe(
      '3021 port/+ 07\n3031 port/ep/+ Port 07 FD  9\n3023 port/descr Port 07 FD  9 -> "one?2"\n',
    )
    expect(lab.say('port/epclose 7 9')).toBe('1000 Success\n3032 port/ep/- Port 07 FD  9\n3022 port/- 07\n')
    expect(lab.say('port/remove 7')).toBe('1000 Success\n3022 port/- 07\n')
    lab.console.tick()
    expect(lab.session.takeEvents()).toBe('')
  })

  it('tells of addresses', () => {
    const lab = new ConsoleLab()
    const [one, two] = [lab.plug(1), lab.plug(2)]
    lab.say('debug/add hash')
    one.inject(frameOf(BROADCAST, host(1), '8100.300'))
    one.inject(frameOf(BROADCAST, host(1), '8100.300'))
    two.inject(frameOf(BROADCAST, host(1), '8100.300'))
    lab.say('debug/del hash/+')
    lab.bridge.switch.entry(2)?.disconnect()
    expect(lab.session.takeEvents().split('\n')).toEqual([
      '3012 hash/- 02:00:00:00:00:01 VLAN 01:2c Port 2',
      '',
    ])
  })

  it('costs nothing while nobody asks', () => {
    const lab = new ConsoleLab()
    const { table } = lab.bridge.switch
    expect(table.watcher).toBeNull()
    lab.say('debug/add hash/-')
    expect(table.watcher).not.toBeNull()
    lab.say('debug/add port')
    lab.say('debug/del hash')
    expect(table.watcher).toBeNull()
    lab.say('debug/add')
    lab.console.close(lab.session)
    expect(table.watcher).toBeNull()
  })

  it('tells so many events a second, and how many it did not tell', () => {
    const lab = new ConsoleLab()
    const port = lab.plug(1)
    lab.say('debug/add hash/+')
    for (let i = 1; i <= 1500; i++) port.inject(frameOf(BROADCAST, host(i), ''))
    expect(lab.session.takeEvents().match(/hash/g)).toHaveLength(1000)
    lab.console.tick()
    expect(lab.session.takeEvents()).toBe('3000 debug/lost 500\n')
    port.inject(frameOf(BROADCAST, host(5000), ''))
    expect(lab.session.takeEvents()).toMatch(/^3011 hash\/\+ /)
  })

  it('keeps so many events for a session that does not read', () => {
    const lab = new ConsoleLab()
    for (let i = 0; i < 100_000; i++) lab.session.tell('3021 port/+ 01\n')
    const events = lab.session.takeEvents()
    const told = events.match(/port/g)?.length ?? 0
    expect(events.length).toBeLessThan(66_000)
    expect(events.endsWith(`3000 debug/lost ${100_000 - told}\n`)).toBe(true)
    expect(lab.session.takeEvents()).toBe('')
  })
})

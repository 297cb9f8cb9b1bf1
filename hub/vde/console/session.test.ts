import { describe, expect, it } from 'vitest'
import { MOST_SESSIONS } from '#hub/vde/console/bridge-console.ts'
import { COMMANDS } from '#hub/vde/console/commands.ts'
import { PROMPT } from '#hub/vde/console/session.ts'
import { ConsoleLab } from '#test/support/console-lab.ts'

describe('a session', () => {
  it('greets and ends with the prompt that clients wait for', () => {
    const greeting = new ConsoleLab().session.greeting()
    expect(PROMPT).toBe('\nvde$ ')
    expect(greeting).toBe(`Hybridge, switch private0\nVDE console; "help" lists its commands\n${PROMPT}`)
    expect(greeting.indexOf('$ ')).toBe(greeting.length - 2)
  })

  it('answers every line', () => {
    const lab = new ConsoleLab()
    expect(['', '   ', '# note', '#', '\0'].map((line) => lab.say(line))).toEqual(['', '', '', '', ''])
    for (const line of ['nosuch', 'port', 'port/', 'PORT/print', 'port/printfoo', '__proto__', 'toString'])
      expect(lab.say(line)).toBe('1038 Function not implemented\n')
    expect(lab.ask('  port/showinfo\t')).toEqual(['Numports=1024', 'HUB=true', 'counters=true'])
  })

  it('ends without a prompt', () => {
    const lab = new ConsoleLab()
    expect([...lab.session.answer('logout', 0)].join('')).toBe('9999 END OF SESSION')
    expect(lab.session.isOver).toBe(true)
  })

  it('is one of so many', () => {
    const lab = new ConsoleLab()
    const others = Array.from({ length: MOST_SESSIONS - 1 }, () => lab.console.open(() => {}))
    expect(others).not.toContain(null)
    expect(lab.console.open(() => {})).toBeNull()
    lab.console.close(lab.session)
    expect(lab.console.open(() => {})).not.toBeNull()
  })

  it('tells what it is', () => {
    const lab = new ConsoleLab()
    lab.now = 61_900
    expect(lab.bridge.spanningTree.address).toMatch(/^[0-9a-f][26ae](:[0-9a-f]{2}){5}$/)
    expect(lab.ask('showinfo')).toEqual([
      'Hybridge, switch private0',
      '',
      `pid 4711 MAC ${lab.bridge.spanningTree.address} uptime 61`,
      'mgmt /run/private0.mgmt perm 0600',
    ])
    expect(lab.say('ds/showinfo')).toBe(
      "0000 DATA END WITH '.'\n.\n1006 No such device or address: private0 has no VDE directory\n",
    )
    lab.plugVde(1, { id: 7, uid: 0, description: '' })
    expect(lab.ask('ds/showinfo')).toEqual(['ctl dir /run/vde/private0', 'std mode 0660'])
  })
})

describe('help', () => {
  it('lists what there is, in the columns that vdeterm reads', () => {
    const lines = new ConsoleLab().ask('help')
    expect(lines.slice(0, 4)).toEqual([
      'COMMAND PATH       SYNTAX          HELP',
      '------------       --------------  ------------',
      'ds                 ============    DATA SOCKETS',
      'ds/showinfo                        where VDE clients plug in',
    ])
    const paths = lines.slice(2).filter((line) => !line.includes('============'))
    expect(paths.map((line) => line.split(' ')[0])).toEqual([...COMMANDS.keys()])
    for (const line of lines) expect(line.length).toBeLessThan(100)
  })

  it('lists what begins so', () => {
    const lab = new ConsoleLab()
    expect(lab.ask('help vlan/c').slice(2)).toEqual([
      'vlan/create        N               list VLAN N, for ports to be put in it',
    ])
    expect(lab.ask('help nosuch').slice(2)).toEqual([])
  })
})

describe('what a hub does not do', () => {
  it.each([
    ['shutdown', '1001 Operation not permitted: the hub ends when its operator stops "hybridge serve"'],
    [
      'load /etc/passwd',
      '1001 Operation not permitted: the hub reads no files for its consoles; pipe the commands into this socket',
    ],
    ['plugin/add pdump', '1038 Function not implemented: a hub loads no plugins'],
    ['plugin/del pdump', '1038 Function not implemented: a hub loads no plugins'],
    [
      'fstp/bonus 0 1 5',
      '1038 Function not implemented: standard RSTP instead: hybridge bridge set private0 rstp=on',
    ],
    ['port/setnumports 32', '1038 Function not implemented: a bridge has room for 1024 ports'],
    ['hash/setgcint 2', '1038 Function not implemented: addresses are aged out every second'],
    ['hash/setminper 3', '1038 Function not implemented: an address moves to another port at once'],
  ])('is said with a reason: %s', (line, status) => {
    expect(new ConsoleLab().say(line)).toBe(`${status}\n`)
  })

  it('is said behind empty data where data is expected', () => {
    const lab = new ConsoleLab()
    for (const line of ['fstp/showinfo', 'fstp/setfstp 1', 'fstp/print'])
      expect(lab.say(line)).toBe(
        "0000 DATA END WITH '.'\n.\n1038 Function not implemented: standard RSTP instead: hybridge bridge set private0 rstp=on\n",
      )
    expect(lab.say('plugin/list')).toBe(
      "0000 DATA END WITH '.'\nNAME                   HELP\n------------           ----\n.\n1002 No such file or directory\n",
    )
  })
})

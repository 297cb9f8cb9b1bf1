/**
 * The life of a topology as an operator sees it: started from a directory, stopped, deleted; and what goes on when the
 * supervisor is killed in the middle of it.
 *
 *   pair:  [h1 em0]---(lan)---[em0 h2]
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { killProcess, pidOf } from '#test/support/hub-processes.ts'
import { Hub } from '#test/support/hub.ts'
import { Lab } from '#test/support/netns.ts'
import { type Finished, until } from '#test/support/process.ts'

const FILE = `#include "common.defs"
config "pair" {
  vm "h1" { CENTOS_5_3 interface "em0" { bridge "lan"; }; };
  vm "h2" { CENTOS_5_3 interface "em0" { bridge "lan"; }; };
};
`
const SETTLED_MS = 30_000

let lab: Lab
let hub: Hub
let set: string

beforeAll(async () => {
  lab = new Lab()
  set = join(lab.directory, 'pair')
  mkdirSync(set)
  writeFileSync(join(set, 'topology.vmm'), FILE)
  hub = await Hub.start(lab.namespace('hub'), { address: '127.0.0.1', env: { HYBRIDGE_TEST: 'life' } })
})
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(lab.story())
})
afterAll(async () => {
  await hub.stop() // devices have networks of their own, which the laboratory does not know
  lab.close()
})

const topology = (...args: string[]): Promise<Finished> =>
  hub.command(['topology', ...args], { check: false })

interface Status {
  state: string
  devices: { name: string; state: string; reason: string }[]
}

async function status(): Promise<Status> {
  const { stdout } = await topology('status', 'pair', '--json')
  return JSON.parse(stdout)
}

const settled = (state: string): Promise<true> =>
  until(`pair is ${state}`, async () => (await status()).state === state, SETTLED_MS)

/** Processes of the topology, by what they are started with. */
function processes(): Map<string, number> {
  const found = new Map<string, number>()
  for (const pid of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    const [, program = '', argument = ''] = read(`/proc/${pid}/cmdline`).split('\0')
    const [, name] = /\/hybridge-(device|fabric|telnet)\.js$/.exec(program) ?? []
    if (name === undefined || !/^pair(\/|$)/.test(argument)) continue
    if (!read(`/proc/${pid}/environ`).includes('HYBRIDGE_TEST=life')) continue
    const key = `${name} ${argument}`
    if (found.has(key)) throw new Error(`${key} runs twice`)
    found.set(key, Number(pid))
  }
  return found
}

const ALL = ['device pair/h1', 'device pair/h2', 'fabric pair', 'telnet pair']

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return '' // it ended meanwhile
  }
}

it('is started from a directory, which is then in the library', async () => {
  const started = await topology('start', set)
  expect(started).toMatchObject({ code: 0, stderr: '' })
  expect(started.stdout.split('\n').slice(0, 2).sort()).toEqual(['h1 is running', 'h2 is running'])
  expect(started.stdout).toMatch(/^h2 +host +running +telnet 127\.0\.0\.1 \d+ +-$/m)
  expect((await topology('list')).stdout).toMatch(/^pair +- +running +2\/2 +\d{4}-/m)

  expect(await topology('start', 'pair')).toMatchObject({
    code: 1,
    stderr: 'hybridge: pair is running already\n',
  })
  expect(await topology('delete', 'pair')).toMatchObject({
    code: 1,
    stderr: 'hybridge: pair is running: stop it first\n',
  })
  writeFileSync(join(set, 'notes.txt'), 'more')
  const other = await topology('start', set)
  expect(other).toMatchObject({ code: 1 })
  expect(other.stderr).toMatch(/the library has another pair \(--replace /)
})

it('tells the truth of a device that is killed, and resets one by its short name', async () => {
  const before = processes()
  await killProcess(before.get('device pair/h1') ?? 0)
  await until('its end is told', async () => {
    const h1 = (await status()).devices[0]
    return h1?.state !== 'running' || processes().get('device pair/h1') !== before.get('device pair/h1')
  })
  await until('it runs', async () => (await status()).devices.every(({ state }) => state === 'running'))
  expect((await hub.command(['device', 'reset', 'h2'])).stdout).toBe('pair/h2 is on again\n')
  const after = processes()
  expect(after.get('fabric pair')).toBe(before.get('fabric pair'))
  for (const name of ['device pair/h1', 'device pair/h2']) expect(after.get(name)).not.toBe(before.get(name))
})

it('goes on without its supervisor; the next one ends what was being stopped', async () => {
  const before = processes()
  await killProcess(pidOf(hub, 'supervisor'))
  await hub.serve()
  await settled('running')
  expect(processes()).toEqual(before)

  const stopping = topology('stop', 'pair')
  await until('it is being stopped', () => !existsSync(join(hub.data, 'topologies/pair/running')))
  await killProcess(pidOf(hub, 'supervisor'))
  await stopping
  await hub.serve()
  await settled('stopped')
  expect(processes()).toEqual(new Map())
})

it('is started to its end by the next supervisor, and once', async () => {
  await topology('start', set, '--replace', '--no-wait')
  await until('a device starts', () => processes().has('device pair/h1'))
  await killProcess(pidOf(hub, 'supervisor'))
  await hub.serve()
  await settled('running')
  expect([...processes().keys()].sort()).toEqual(ALL)
})

it('is ended with the hub, and started again with it', async () => {
  expect((await hub.stop()).code).toBe(0)
  expect(processes()).toEqual(new Map())
  await hub.serve()
  await settled('running')
  expect([...processes().keys()].sort()).toEqual(ALL)
})

const files = (directory: string): string[] =>
  readdirSync(join(hub.data, directory)).filter((file) => file.startsWith('pair'))

it('leaves nothing behind', async () => {
  expect((await topology('stop', 'pair')).stdout).toBe('pair is stopped\n')
  expect(processes()).toEqual(new Map())
  expect(files('run')).toEqual([])
  expect((await topology('list')).stdout).toMatch(/^pair +- +stopped/m)
  expect((await topology('delete', 'pair')).stdout).toBe('pair is deleted\n')
  expect([files('log'), files('topologies')]).toEqual([[], []])
})

import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { CaptureFile } from '#net/capture/capture-file.ts'
import { MemoryPort } from '#net/port/memory.ts'
import { Switch } from '#net/switch/switch.ts'
import { readPcapng } from '#test/support/pcapng.ts'
import { BROADCAST, frameOf, host } from '#test/support/switch-lab.ts'

const directory = mkdtempSync(join(tmpdir(), 'hybridge-capture-'))
afterAll(() => rmSync(directory, { recursive: true }))

const lab = new Switch({ name: 'lab' })
const ports = [1, 2].map(() => {
  const entry = lab.addEntry()
  const port = new MemoryPort(entry.counters, entry)
  entry.connect(port)
  return port
})
const FRAME = frameOf(BROADCAST, host(1), '')
const failures: string[] = []
const open = (file: string): Promise<CaptureFile> =>
  CaptureFile.open({ observed: lab, port: 1, file, onFailure: (text) => failures.push(text) })

it('writes what passes a port until it is closed, and the switch is as before', async () => {
  const file = join(directory, 'a.pcapng')
  const capture = await open(file)
  ports[0]?.inject(FRAME)
  ports[1]?.inject(FRAME)
  expect(await capture.close()).toBe('2 packets, 0 lost')
  expect(await capture.close()).toBe('2 packets, 0 lost')
  ports[0]?.inject(FRAME)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  const { interfaces, packets } = readPcapng(readFileSync(file))
  expect(interfaces).toMatchObject([{ name: 'lab/1' }])
  expect(packets.map(({ direction, octets }) => [direction, octets])).toEqual([
    ['in', Buffer.from(FRAME)],
    ['out', Buffer.from(FRAME)],
  ])
  expect(lab.entry(1)?.observer).toBeNull()
})

it('loses what the disk does not keep up with, and counts it', async () => {
  const file = join(directory, 'b.pcapng')
  const capture = await open(file)
  // Nothing is written before the event loop turns.
  const long = frameOf(BROADCAST, host(1), '', new Uint8Array(9000))
  for (let i = 0; i < 1000; i++) ports[0]?.inject(long)
  const { packets } = readPcapng((await capture.close(), readFileSync(file)))
  expect(packets.length).toBeGreaterThan(300)
  expect(packets.length).toBeLessThan(1000)
})

it('overwrites nothing', async () => {
  await expect(open(join(directory, 'a.pcapng'))).rejects.toThrow(/a\.pcapng: it exists/)
  await expect(open('/nowhere/a.pcapng')).rejects.toThrow(
    /cannot write \/nowhere\/a\.pcapng: no such file or directory$/,
  )
  expect(lab.entry(1)?.observer).toBeNull()
  expect(failures).toEqual([])
})

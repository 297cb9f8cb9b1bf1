import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  watch,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AUTH_SOCKET, CONTROL_SOCKET, ownerOf, prepareDataDirectory } from '#hub/base/data-directory.ts'
import { fabricSockets } from '#hub/base/fabric-sockets.ts'
import { processUsers } from '#hub/base/privilege.ts'
import { RpcClient, serveRpc } from '#net/base/rpc.ts'
import { hashPassword } from '#hub/accounts/password.ts'
import { fingerprintOf } from '#hub/accounts/public-key.ts'
import { AccountStore } from '#hub/accounts/store.ts'

const PROGRAM = resolve('hub/accounts/process.ts')
/** Where `tsx` is found whatever the working directory. */
const LOADER = import.meta.resolve('tsx')

let parent: string
let data: string
const children: ChildProcess[] = []
const clients: RpcClient[] = []

beforeEach(() => {
  // As below /root: nobody but root may pass.
  parent = mkdtempSync(join(tmpdir(), 'hybridge-control-'))
  chmodSync(parent, 0o700)
  data = join(parent, 'lab')
  prepareDataDirectory(data)
})
afterEach(async () => {
  for (const one of clients.splice(0)) one.close()
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  rmSync(parent, { recursive: true })
})

/** Starts the process and waits for its sockets; the control socket is the last that it makes. */
async function start(): Promise<ChildProcess> {
  const ready = new Promise<void>((done) => {
    const watcher = watch(join(data, 'run'), (_event, name) => {
      if (name !== 'control.sock' || !existsSync(join(data, CONTROL_SOCKET))) return
      watcher.close()
      done()
    })
  })
  const child = spawn(process.execPath, ['--import', LOADER, PROGRAM], {
    cwd: data,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(child)
  const exited = once(child, 'exit').then(() => {
    throw new Error(`the process ended: ${readFileSync(join(data, 'log/control.log'), 'utf8')}`)
  })
  await Promise.race([ready, exited])
  exited.catch(() => {})
  return child
}

function client(path: string): RpcClient {
  const one = new RpcClient(join(data, path))
  clients.push(one)
  return one
}

const blob = new Uint8Array(40).fill(9)
const key = { type: 'ssh-ed25519', blob, comment: '', fingerprint: fingerprintOf(blob) }
const keyAttempt = {
  user: 'ann',
  algorithm: 'ssh-ed25519',
  key: Buffer.from(blob).toString('base64'),
  address: '192.0.2.1',
  signed: true,
}

/** What `hybridge user ...` does, in a process of its own rights. */
function change(use: (store: AccountStore) => void): void {
  const store = AccountStore.open(join(data, 'accounts.db'), ownerOf(data))
  use(store)
  store.close()
}

/** Mode and owner of a file in the data directory. */
function file(path: string): [mode: string, uid: number, gid: number] {
  const { mode, uid, gid } = statSync(join(data, path))
  return [(mode & 0o777).toString(8), uid, gid]
}

describe('the control process', () => {
  it('answers gateways from accounts that change while it runs', async () => {
    await start()
    const auth = client(AUTH_SOCKET)
    expect(await auth.call('authenticate.key', keyAttempt)).toEqual({ accepted: false })
    const password = await hashPassword('right password', { memoryCost: 64, timeCost: 1, parallelism: 1 })
    change((store) => store.addUser('ann', { password, key }))
    expect(await auth.call('authenticate.key', keyAttempt)).toEqual({ accepted: true })
    const attempt = { user: 'ann', password: 'right password', address: '192.0.2.2' }
    // Also writes, as the hash has old parameters.
    expect(await auth.call('authenticate.password', attempt)).toEqual({ accepted: true })
    expect(await auth.call('authenticate.password', { ...attempt, password: 'wrong' })).toEqual({
      accepted: false,
    })
    change((store) => {
      expect(store.passwordHash('ann')).not.toBe(password)
      // Enough to make the write-ahead log grow, be written back and begin again.
      for (let i = 0; i < 300; i++) store.addUser(`u${i}`, { password: 'x'.repeat(8000) })
    })
    expect(await auth.call('authenticate.key', { ...keyAttempt, user: 'u7' })).toEqual({ accepted: false })
    change((store) => store.addKey('u7', key))
    expect(await auth.call('authenticate.key', { ...keyAttempt, user: 'u7' })).toEqual({ accepted: true })
    change((store) => store.removeUser('ann'))
    expect(await auth.call('authenticate.key', keyAttempt)).toEqual({ accepted: false })
    await expect(auth.call('authenticate.key', { user: 'ann' })).rejects.toMatchObject({
      code: 'bad-params',
      message: expect.not.stringContaining('ann'),
    })
    const text = readFileSync(join(data, 'log/control.log'), 'utf8')
    expect(text).toContain(key.fingerprint)
    expect(text).not.toContain('right password')
  })

  it('passes questions on to the fabric, and says when it is away', async () => {
    const place = { ssh: { address: '127.0.0.1', port: 2222 } }
    writeFileSync(
      join(data, 'run/control.json'),
      JSON.stringify({ identity: '', bridges: ['private0'], place }),
    )
    await start()
    const control = client(CONTROL_SOCKET)
    await expect(control.call('ports')).rejects.toMatchObject({ code: 'fabric-away' })
    expect(await control.call('status')).toMatchObject({
      fabric: null,
      problem: expect.stringContaining('fabric.sock'),
    })
    const fabric = await serveRpc(join(data, fabricSockets().rpc), {
      ports: ({ bridge }) => [{ bridge }],
      bridges: () => [{ name: 'private0', ports: 2 }],
      status: () => ({ pid: 1 }),
    })
    const users = processUsers()
    if (users) chownSync(join(data, fabricSockets().rpc), users.service.uid, users.service.gid)
    expect(await control.call('ports', { bridge: 'private0' })).toEqual([{ bridge: 'private0' }])
    expect(await control.call('status')).toMatchObject({ fabric: { pid: 1 } })
    expect(await client(AUTH_SOCKET).call('bridges', { user: 'ann' })).toEqual([
      { name: 'private0', ports: 2 },
    ])
    await expect(control.call('macs')).rejects.toMatchObject({ code: 'unknown-op' })
    await fabric.close()
  })

  it('says who it is, ends at SIGTERM without a trace, and prints nothing', async () => {
    writeFileSync(join(data, 'run/control.json'), '{}')
    const child = await start()
    let printed = ''
    child.stdout?.on('data', (chunk) => (printed += String(chunk)))
    const status = await client(CONTROL_SOCKET).call('status')
    expect(status).toMatchObject({ pid: child.pid, fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/) })
    child.kill('SIGTERM')
    expect(await once(child, 'exit')).toEqual([0, null])
    expect(readdirSync(join(data, 'run'))).toEqual(['control.json'])
    expect(printed).toBe('')
  })

  it('takes the place of one that was killed', async () => {
    const child = await start()
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(statSync(join(data, AUTH_SOCKET)).isSocket()).toBe(true)
    await start()
    expect(await client(AUTH_SOCKET).call('authenticate.key', keyAttempt)).toEqual({ accepted: false })
  })

  it.runIf(processUsers())(
    'is nobody when root started it, and lets each side in by its socket only',
    async () => {
      const child = await start()
      const users = processUsers()
      // The answer comes after the drop.
      await client(CONTROL_SOCKET).call('status')
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
      expect(status).toMatch(new RegExp(`^Uid:\\s+${users?.service.uid}\\s`, 'm'))
      expect(status).toMatch(/^CapEff:\s+0+$/m)
      expect(file(AUTH_SOCKET)).toEqual(['660', users?.service.uid, users?.gateway.gid])
      expect(file(CONTROL_SOCKET)).toEqual(['600', users?.service.uid, users?.service.gid])
      for (const path of ['accounts.db', 'accounts.db-wal', 'accounts.db-shm']) {
        expect(file(path).slice(0, 2)).toEqual(['600', users?.service.uid])
      }
    },
  )
})

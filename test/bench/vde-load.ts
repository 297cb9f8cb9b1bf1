/**
 * vde-load.ts send|receive DIRECTORY LENGTH NUMBER SECONDS: a client of a VDE switch, written for speed, the same for every
 * switch. `receive` prints "ready", and then how many frames of LENGTH octets came to address NUMBER, and how fast; `send` sends
 * them there, as many as the switch takes. Its sockets block, which keeps it from work that nobody takes.
 */
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { FrameMemory } from '#net/port/frame-memory.ts'
import * as libc from '#net/port/libc.ts'
import { ReceiveBatch, SendBatch } from '#net/port/message-batch.ts'
import { SOCKADDR_UN, unixAddress } from '#net/port/unix-address.ts'
import { decodeReply, encodeRequest, REPLY_LEN } from '#net/port/vde/handshake.ts'

const MSG_WAITFORONE = 0x10000
/** Not measured at the beginning. */
const SETTLE_MS = 500

const [mode, directory = '', lengthText, numberText, secondsText] = process.argv.slice(2)
const length = Number(lengthText)
const number = Number(numberText)
const seconds = Number(secondsText)

function fail(what: string): never {
  throw libc.systemError(what)
}

/** A datagram socket that is plugged in, and the stream beside it, which must stay open. */
function plugIn(): number {
  const ctl = libc.socket(libc.AF_UNIX, libc.SOCK_STREAM, 0)
  const ctlAddress = unixAddress(join(directory, 'ctl'))
  if (libc.connect(ctl, ctlAddress, SOCKADDR_UN) < 0) fail(`cannot reach ${directory}`)
  const fd = libc.socket(libc.AF_UNIX, libc.SOCK_DGRAM, 0)
  const path = join(directory, `.${process.pid}-00000`)
  const address = unixAddress(path)
  if (libc.bind(fd, address, SOCKADDR_UN) < 0) fail(`cannot bind in ${directory}`)
  chmodSync(path, 0o777)
  const request = encodeRequest({ port: 0, isManagement: false, address, description: 'bench' })
  libc.sendBuffer(ctl, request, request.length, 0)
  const reply = new Uint8Array(REPLY_LEN)
  libc.recvBuffer(ctl, reply, reply.length, 0)
  if (libc.connect(fd, decodeReply(reply), SOCKADDR_UN) < 0) fail(`cannot connect to ${directory}`)
  return fd
}

const address = (host: number): number[] => [2, 0, 0, 0, 0, host]

/** From `to` + 100 to `to`. */
function frame(to: number, from: number): FrameMemory {
  const memory = FrameMemory.native(length)
  memory.bytes.set([...address(to), ...address(from), 0x88, 0xb5])
  return memory
}

function send(): void {
  const fd = plugIn()
  const { address: at } = frame(number, number + 100)
  const batch = new SendBatch()
  for (let i = 0; i < SendBatch.SLOTS; i++) batch.push(at, length)
  const end = performance.now() + seconds * 1000
  while (performance.now() < end) if (libc.sendmmsg(fd, batch.address(0), batch.count, 0) < 0) return
}

function receive(): void {
  const fd = plugIn()
  // The switch learns the address from it.
  libc.sendFrom(fd, frame(number + 100, number).address, length, 0)
  process.stdout.write('ready\n')
  const batch = new ReceiveBatch(0)
  const take = (): number => {
    const count = libc.recvmmsg(fd, batch.prepare(), ReceiveBatch.SLOTS, MSG_WAITFORONE, null)
    return count < 0 ? fail('cannot receive') : count
  }
  let frames = take()
  const start = performance.now() + SETTLE_MS
  while (performance.now() < start) frames += take()
  const before = frames
  const end = start + (seconds - 1) * 1000
  while (performance.now() < end) frames += take()
  const rate = ((frames - before) / (performance.now() - start)) * 1000
  process.stdout.write(`received ${frames}, ${rate} a second\n`)
}

if (mode === 'send') send()
else receive()

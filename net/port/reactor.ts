/**
 * Readiness of file descriptors on Node's own event loop: libuv's uv_poll_*, which the node binary exports, called
 * through koffi. Measured: about 3 us per event; a blocking poll() on the thread pool costs about 36 us.
 */
import koffi from 'koffi'
import { SystemError } from '#net/base/errors.ts'
import { libc } from '#net/port/c-library.ts'

export const READABLE = 1
export const WRITABLE = 2

const UV_POLL = 8 // uv_handle_type

const node = koffi.load(null)
koffi.proto('void hybridge_poll_cb(void*, int, int)')
koffi.proto('void hybridge_close_cb(void*)')
const handleSize = (node.func('size_t uv_handle_size(int)') as (type: number) => number)(UV_POLL)
const defaultLoop = node.func('void* uv_default_loop()') as () => bigint
const pollInit = node.func('int uv_poll_init(void*, void*, int)') as (
  l: bigint,
  h: bigint,
  fd: number,
) => number
const pollStart = node.func('int uv_poll_start(void*, int, hybridge_poll_cb*)') as (
  handle: bigint,
  events: number,
  callback: bigint,
) => number
const pollStop = node.func('int uv_poll_stop(void*)') as (handle: bigint) => number
const closeHandle = node.func('void uv_close(void*, hybridge_close_cb*)') as (h: bigint, cb: bigint) => void
const malloc = libc.func('void* malloc(size_t)') as (size: number) => bigint
const free = libc.func('void free(void*)') as (pointer: bigint) => void

const watchers = new Map<bigint, Watcher>()

// koffi swallows what a callback throws, so an exception is thrown again from the event loop, where it is seen.
const onPoll = koffi.register((handle: bigint, status: number, events: number): void => {
  try {
    watchers.get(handle)?.ready(status, events)
  } catch (error) {
    setImmediate(() => {
      throw error
    })
  }
}, 'hybridge_poll_cb*')

const closing = new Map<bigint, () => void>()
const onClose = koffi.register((handle: bigint): void => {
  const done = closing.get(handle)
  closing.delete(handle)
  free(handle)
  done?.()
}, 'hybridge_close_cb*')

/** Watches one descriptor, which the caller owns. Made stopped. Level-triggered: what is not read is told again. */
export class Watcher {
  readonly #handle: bigint
  readonly #onReady: (events: number, failed: boolean) => void
  #events = 0
  #closed = false

  /** @param onReady  `failed` says that the descriptor reports an error (look at SO_ERROR); it is then stopped. */
  constructor(fd: number, onReady: (events: number, failed: boolean) => void) {
    this.#onReady = onReady
    this.#handle = malloc(handleSize)
    const status = pollInit(defaultLoop(), this.#handle, fd)
    if (status !== 0) {
      free(this.#handle)
      throw new SystemError('EPOLL', `cannot watch descriptor ${fd}: libuv error ${status}`)
    }
    watchers.set(this.#handle, this)
  }

  /** @param events  READABLE, WRITABLE or both; 0 stops. */
  watch(events: number): void {
    if (this.#closed || events === this.#events) return
    this.#events = events
    if (events === 0) pollStop(this.#handle)
    else pollStart(this.#handle, events, onPoll)
  }

  /** Called by libuv's callback only. */
  ready(status: number, events: number): void {
    if (status < 0) this.#events = 0 // libuv has stopped the handle
    this.#onReady(events, status < 0)
  }

  /** Stops; `done` runs when libuv has let go of the descriptor, which may be closed only then. */
  close(done: () => void): void {
    if (this.#closed) return
    this.#closed = true
    watchers.delete(this.#handle)
    closing.set(this.#handle, done)
    closeHandle(this.#handle, onClose)
  }
}

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { rekey } from '#hub/gateway/rekey.ts'
import { QuietConnection } from '#test/support/window-channel.ts'

describe('rekey', () => {
  /** As far as it is used here. */
  class Exchange {
    done: () => void = () => {}
    rekey(done: () => void): void {
      this.done = done
    }
    keep(packets: number): void {
      Reflect.set(this, '_protocol', { _queue: Array.from({ length: packets }) })
    }
  }
  let exchange: Exchange
  let socket: QuietConnection
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    exchange = new Exchange()
    socket = new QuietConnection()
    rekey(exchange, { stream: socket, socket })
  })
  afterEach(() => {
    socket.destroy()
    vi.useRealTimers()
  })

  it('lets a peer be that exchanges keys', () => {
    exchange.done()
    expect(vi.getTimerCount()).toBe(0)
    exchange.keep(200_000)
    socket.emit('data', Buffer.alloc(1))
    expect(socket.destroyed).toBe(false)
  })

  it('lets go of one that does not', () => {
    vi.advanceTimersByTime(299_999)
    expect(socket.destroyed).toBe(false)
    vi.advanceTimersByTime(1)
    expect(socket.destroyed).toBe(true)
  })

  it('lets go of one that has much kept meanwhile', () => {
    exchange.keep(100_000)
    socket.emit('data', Buffer.alloc(1))
    expect(socket.destroyed).toBe(false)
    exchange.keep(100_001)
    socket.emit('data', Buffer.alloc(1))
    expect(socket.destroyed).toBe(true)
  })
})

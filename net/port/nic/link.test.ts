import koffi from 'koffi'
import { afterEach, describe, expect, it, vi } from 'vitest'
import * as libc from '#net/port/libc.ts'
import { linkError } from '#net/port/nic/link.ts'

afterEach(() => vi.restoreAllMocks())

describe('linkError', () => {
  it.each([
    [libc.EPERM, 'EPERM', /: operation not permitted \(needs CAP_NET_ADMIN; run as root\)$/],
    [libc.ENETDOWN, 'ENETDOWN', / \(the interface that it is built on is down; `ip link set PARENT up`\)$/],
    [libc.ERFKILL, 'errno 132', / \(its radio is switched off; `rfkill unblock all`\)$/],
    [libc.EINVAL, 'EINVAL', /^cannot bring lan up: invalid argument$/],
  ])('of errno %i tells the remedy, if there is one', (errno, code, says) => {
    vi.spyOn(koffi, 'errno').mockReturnValue(errno)
    const error = linkError('cannot bring lan up')
    expect(error.code).toBe(code)
    expect(error.message).toMatch(says)
  })
})

import { expect, test } from 'vitest'
import { PortAccessTable } from '#hub/vde/port-access.ts'

const members = (uid: number, gid: number): boolean => uid === 1001 && gid === 50

test('a port is open to all until it is told otherwise, and again when it is removed', () => {
  const table = new PortAccessTable()
  expect(table.of(3)).toEqual({ allocatable: true, user: null, group: null })
  table.set(3, { user: 1000 })
  table.set(3, { allocatable: false })
  expect(table.of(3)).toEqual({ allocatable: false, user: 1000, group: null })
  table.remove(3)
  expect(table.of(3)).toEqual({ allocatable: true, user: null, group: null })
})

test('a reading is a copy', () => {
  const table = new PortAccessTable()
  table.of(1).user = 5
  expect(table.of(1).user).toBeNull()
})

test.each([
  { owner: null, group: null, uid: 1000, may: true },
  { owner: 1000, group: null, uid: 1000, may: true },
  { owner: 1000, group: null, uid: 1001, may: false },
  { owner: 1000, group: null, uid: 0, may: true },
  { owner: 1000, group: 50, uid: 1001, may: true },
  { owner: null, group: 50, uid: 1000, may: false },
  { owner: 0, group: null, uid: 1000, may: false },
])('port of user $owner and group $group, user $uid: $may', ({ owner, group, uid, may }) => {
  const table = new PortAccessTable()
  table.set(1, { user: owner, group })
  expect(table.mayUse(1, uid, members)).toBe(may)
})

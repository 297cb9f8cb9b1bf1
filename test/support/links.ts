/** Interfaces as the kernel tells of them, for tests that need none. */
import type { Link } from '#net/port/nic/link-table.ts'

/** Hardware, where `fields` say nothing else. */
export const makeLink = (name: string, index: number, fields: Partial<Link> = {}): Link => ({
  index,
  name,
  kind: '',
  link: 0,
  isAcross: false,
  master: 0,
  isHardware: (fields.kind ?? '') === '',
  remote: undefined,
  ...fields,
})

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type BridgeNames,
  findBridge,
  joinableBridges,
  refuseUnjoinable,
} from '#hub/accounts/bridge-names.ts'

const topology = (
  name: string,
  owner: string,
  bridges: readonly string[],
  declared: readonly string[] = [],
): BridgeNames['topologies'][number] => ({ name, owner, bridges: [...bridges], declared: [...declared] })

const NAMES: BridgeNames = {
  hub: ['private0', 'lan'],
  topologies: [
    topology('one', 'ann', ['private0', 'a'], ['private7', 'spare']),
    topology('two', 'bob', ['private0', 'a', 'external'], ['private7', 'lan']),
    topology('three', 'bob', ['a', 'b']),
  ],
}

/** What a name means to a user: a full name, one that is to be made, or the code of a refusal. */
function meaning(name: string, user: string | undefined): string {
  try {
    const { bridge, isToMake } = findBridge(name, user, NAMES)
    return isToMake ? `make ${bridge}` : bridge
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error)
  }
}

describe('findBridge', () => {
  it.each([
    ['private0', 'ann', 'one/private0'],
    ['private0', 'bob', 'two/private0'],
    ['private0', 'carl', 'private0'],
    ['private0', undefined, 'private0'],
    ['lan', 'bob', 'lan'],
    ['a', 'ann', 'one/a'],
    ['a', 'bob', 'ambiguous-bridge'],
    ['b', 'ann', 'three/b'],
    ['two/a', 'ann', 'two/a'],
    ['/private0', 'ann', 'private0'],
    ['/a', 'ann', 'unknown-bridge'],
    ['private7', 'ann', 'make one/private7'],
    ['private7', 'carl', 'ambiguous-bridge'],
    ['spare', 'carl', 'make one/spare'],
    ['three/private124', 'ann', 'make three/private124'],
    ['private124', 'ann', 'unknown-bridge'],
    ['three/spare', 'ann', 'unknown-bridge'],
    ['four/a', 'ann', 'unknown-bridge'],
    ['two/external', 'bob', 'two/external'],
    ['one/external', 'ann', 'make one/external'],
    ['one/dead', 'ann', 'make one/dead'],
    ['a/b/c', 'ann', 'unknown-bridge'],
    ['', 'ann', 'unknown-bridge'],
    ['/', 'ann', 'unknown-bridge'],
  ] as const)('takes %j of %s for %s', (name, user, wanted) => {
    expect(meaning(name, user)).toBe(wanted)
  })

  it('names those that there are when it knows none, and those that may be meant when it knows several', () => {
    expect(() => findBridge('x', 'ann', NAMES)).toThrow(
      'no bridge "x" here; bridges: private0, lan, one/private0, one/a, two/private0, two/a, three/a, three/b',
    )
    expect(() => findBridge('a', 'bob', NAMES)).toThrow('"a" may be any of two/a, three/a: name one of them')
    expect(() => findBridge('x', 'ann', { hub: [], topologies: [] })).toThrow('bridges: none')
  })

  it('finds every joinable bridge by its full name, whoever asks', () => {
    fc.assert(
      fc.property(fc.constantFrom('ann', 'bob', 'carl', undefined), (user) => {
        for (const bridge of joinableBridges(NAMES)) {
          const full = bridge.includes('/') ? bridge : `/${bridge}`
          expect(findBridge(full, user, NAMES)).toEqual({ bridge, isToMake: false })
        }
      }),
    )
  })
})

it('refuses the management network and what leads nowhere, with the reason', () => {
  expect(() => refuseUnjoinable('two/external')).toThrow(/management network of two.*grants/)
  expect(() => refuseUnjoinable('two/dead')).toThrow(/connects nothing/)
  for (const bridge of ['two/a', 'external', 'dead']) expect(() => refuseUnjoinable(bridge)).not.toThrow()
})

import { describe, expect, it } from 'vitest'
import { Fabrics } from '#hub/accounts/fabrics.ts'
import { ProtocolError, SystemError } from '#net/base/errors.ts'

interface Asked {
  readonly topology: string | undefined
  readonly op: string
  readonly params: object
}

/** Fabrics of which some do not answer, or refuse. */
function fabrics(faults: Readonly<Record<string, Error>> = {}) {
  const asked: Asked[] = []
  const two = { name: 'two', owner: '', bridges: ['a'], declared: [] }
  return {
    asked,
    fabrics: new Fabrics({
      hub: ['own'],
      topologies: () => [two, { ...two, name: 'three' }],
      call: async (topology, op, params) => {
        asked.push({ topology, op, params })
        const fault = faults[topology ?? '']
        if (fault) throw fault
        return [topology ?? 'hub']
      },
    }),
  }
}

describe('Fabrics', () => {
  it('asks that of the bridge, by its full name', async () => {
    const { fabrics: all, asked } = fabrics()
    expect(await all.ask('ports', 'two/a', { bridge: 'x', port: 3 })).toEqual(['two'])
    expect(await all.ask('ports', '/own', {})).toEqual(['hub'])
    expect(asked).toEqual([
      { topology: 'two', op: 'ports', params: { bridge: 'two/a', port: 3 } },
      { topology: undefined, op: 'ports', params: { bridge: 'own' } },
    ])
    await expect(all.ask('ports', 'a', {})).rejects.toMatchObject({ code: 'ambiguous-bridge' })
  })

  it('joins the answers of all, and tells which are away', async () => {
    const { fabrics: all, asked } = fabrics({
      two: new ProtocolError('timeout', 'no answer'),
      three: new SystemError('ENOENT', 'cannot reach run/three:fabric.sock: ENOENT'),
    })
    expect(await all.askAll('ports', (topology) => ({ after: topology }))).toEqual({
      answers: [{ topology: '', answer: ['hub'] }],
      away: [
        { topology: 'two', reason: 'no answer' },
        {
          topology: 'three',
          reason: expect.stringMatching(
            /^the forwarding process of the topology three .*log\/three:fabric\.log$/,
          ),
        },
      ],
    })
    expect(asked.map(({ params }) => params)).toEqual([{ after: '' }, { after: 'two' }, { after: 'three' }])
  })

  it('fails when none answers, or one refuses', async () => {
    const away = new ProtocolError('disconnected', 'run/fabric.sock closed the connection')
    await expect(fabrics({ '': away, two: away, three: away }).fabrics.askAll('ports')).rejects.toMatchObject(
      {
        code: 'fabric-away',
        message: expect.stringContaining('see log/fabric.log'),
      },
    )
    const refusal = new ProtocolError('unknown-port', 'it has no port 9')
    await expect(fabrics({ two: refusal }).fabrics.askAll('counters.reset')).rejects.toBe(refusal)
    await expect(fabrics({ two: refusal }).fabrics.ask('ports', 'two/a', {})).rejects.toBe(refusal)
  })
})

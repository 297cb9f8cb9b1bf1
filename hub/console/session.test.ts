import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Size } from '#hub/console/records.ts'
import { ConsoleSession, MOST_VIEWERS, type Viewer } from '#hub/console/session.ts'
import { TERMINAL_RESET } from '#hub/console/terminal-text.ts'

class Watching implements Viewer {
  readonly name: string
  size: Size | undefined
  typed = false
  isWriter = false
  seen = ''
  notices: string[] = []

  constructor(name: string, size?: Size) {
    this.name = name
    this.size = size
  }

  output(octets: Uint8Array): void {
    this.seen += Buffer.from(octets).toString()
  }

  notice(text: string): void {
    this.notices.push(text)
  }

  types(isWriter: boolean): void {
    this.isWriter = isWriter
  }
}

function lab() {
  const line = { typed: '', sizes: [] as Size[], discarded: 0 }
  const session = new ConsoleSession({
    input: (octets) => (line.typed += Buffer.from(octets).toString()),
    resize: (size) => line.sizes.push(size),
    discard: () => line.discarded++,
  })
  const type = (viewer: Viewer, text: string): void => session.input(viewer, Buffer.from(text))
  return { line, session, type }
}

describe('a console', () => {
  it('shows all to everybody, and hears the first', () => {
    const { line, session, type } = lab()
    const [ann, bob] = [new Watching('ann'), new Watching('bob')]
    session.join(ann)
    session.join(bob)
    session.output(Buffer.from('hello\r\n'))
    type(ann, 'a')
    type(bob, 'b')
    type(bob, 'b')
    expect(line.typed).toBe('a')
    expect([ann.seen, bob.seen]).toEqual(['hello\r\n', 'hello\r\n'])
    expect(ann.notices).toEqual(['bob looks on'])
    expect(bob.notices).toEqual([
      'you look on, ann types; Ctrl-] t takes over',
      'you look on, ann types; Ctrl-] t takes over',
    ])
  })

  it('hears nothing of what a terminal that looks on answers', () => {
    const { line, session, type } = lab()
    const [ann, bob] = [new Watching('ann'), new Watching('bob')]
    session.join(ann)
    session.join(bob)
    type(bob, '\x1b[?62c')
    expect(line.typed).toBe('')
    expect(bob.notices).toHaveLength(1)
  })

  it('is taken over, and both are told', () => {
    const { line, session, type } = lab()
    const [ann, bob] = [new Watching('ann'), new Watching('b\x1bob')]
    session.join(ann)
    session.join(bob)
    session.takeOver(bob)
    session.takeOver(bob)
    type(ann, 'a')
    type(bob, 'b')
    expect(line).toMatchObject({ typed: 'b', discarded: 1 })
    expect(ann.notices.slice(1)).toEqual([
      'b\ufffdob has taken over, you look on; Ctrl-] t takes over',
      'you look on, b\ufffdob types; Ctrl-] t takes over',
    ])
    expect(bob.notices.slice(1)).toEqual(['you type now, ann looks on'])
  })

  it('is for who has looked on longest when its writer leaves', () => {
    const { line, session, type } = lab()
    const [ann, bob, eve] = [new Watching('ann'), new Watching('bob'), new Watching('eve')]
    for (const one of [ann, bob, eve]) session.join(one)
    session.leave(ann)
    session.leave(ann)
    type(bob, 'b')
    type(eve, 'e')
    session.leave(eve)
    expect(line.typed).toBe('b')
    expect(bob.notices.slice(1)).toEqual(['ann has left, you type now', 'eve has left'])
  })

  it('is again for him who typed before it was away, whoever is there first', () => {
    const { session } = lab()
    const [ann, bob] = [new Watching('ann'), new Watching('bob')]
    bob.typed = true
    session.join(ann)
    session.join(bob)
    expect(session.writer).toBe(bob)
    expect(ann.notices).toEqual(['bob has taken over, you look on; Ctrl-] t takes over'])
    const eve = new Watching('eve')
    eve.typed = true
    session.join(eve)
    expect(session.writer).toBe(bob)
  })

  it('has the size of its writer’s terminal', () => {
    const { line, session } = lab()
    const small = { columns: 40, rows: 10 }
    const ann = new Watching('ann', { columns: 80, rows: 24 })
    const bob = new Watching('bob', { columns: 100, rows: 30 })
    const program = new Watching('program')
    session.join(ann)
    session.join(bob)
    bob.size = small
    session.resized(bob)
    expect(line.sizes).toEqual([{ columns: 80, rows: 24 }])
    session.takeOver(bob)
    session.join(program)
    session.takeOver(program)
    expect(line.sizes.slice(1)).toEqual([small])
  })

  it('shows what there was: a terminal is reset before, and asked nothing', () => {
    const { session } = lab()
    session.output(Buffer.from('$ \x1b[6n'))
    const [ann, program] = [new Watching('ann', { columns: 80, rows: 24 }), new Watching('program')]
    session.join(ann)
    session.join(program)
    expect(ann.seen).toBe(`${TERMINAL_RESET}$ `)
    expect(program.seen).toBe('$ \x1b[6n')
  })

  it('has room for so many', () => {
    const { session, type, line } = lab()
    for (let i = 0; i < MOST_VIEWERS; i++) expect(session.join(new Watching(`v${i}`))).toBe(true)
    const late = new Watching('late')
    expect(session.join(late)).toBe(false)
    session.takeOver(late)
    type(late, 'x')
    session.leave(late)
    session.output(Buffer.from('y'))
    expect([line.typed, late.seen]).toEqual(['', ''])
  })
})

it('always has one writer when somebody is there, whatever happens', () => {
  const step = fc.tuple(fc.constantFrom('join', 'leave', 'take', 'type'), fc.nat(4))
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const { line, session, type } = lab()
      const viewers = Array.from({ length: 5 }, (_, i) => new Watching(String(i)))
      const present: Watching[] = []
      let writer: Watching | undefined
      let typed = ''
      for (const [what, i] of steps) {
        const viewer = viewers[i]
        if (!viewer) continue
        const isPresent = present.includes(viewer)
        if (what === 'join' && !isPresent) {
          present.push(viewer)
          session.join(viewer)
        } else if (what === 'leave' && isPresent) {
          present.splice(present.indexOf(viewer), 1)
          session.leave(viewer)
          viewers[i] = new Watching(viewer.name) // who comes again is another one
          if (writer === viewer) writer = undefined
        } else if (what === 'take') {
          session.takeOver(viewer)
          if (isPresent) writer = viewer
        } else if (what === 'type') {
          type(viewer, viewer.name)
          if (viewer === writer) typed += viewer.name
        }
        writer ??= present[0]
        expect(session.writer).toBe(writer)
        expect(present.filter(({ isWriter }) => isWriter)).toEqual(writer ? [writer] : [])
      }
      expect(line.typed).toBe(typed)
    }),
  )
})

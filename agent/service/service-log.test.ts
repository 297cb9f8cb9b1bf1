import { expect, it } from 'vitest'
import { serviceLog } from '#agent/service/service-log.ts'

function lines(json: boolean, isPlain: boolean): string[] {
  const said: string[] = []
  const take = (text: string): unknown => said.push(text)
  const log = serviceLog({ json, isPlain, out: take, err: take })
  log('error', 'cannot open eth2:\n\u001b[31mno such device', { event: 'failed', link: 'lab2', exitCode: 6 })
  log('info', 'ended')
  return said
}

it('writes a line an event, with its priority, for the journal', () => {
  expect(lines(false, true)).toEqual(['<3>lab2: cannot open eth2:  [31mno such device\n', '<6>ended\n'])
})

it('writes the time on a terminal', () => {
  expect(lines(false, false)[1]).toMatch(/^hconnect: \w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}: ended\n$/)
})

it('writes objects for programs', () => {
  const [first = '', second = ''] = lines(true, true)
  expect(JSON.parse(first)).toMatchObject({ type: 'failed', severity: 'error', link: 'lab2', exitCode: 6 })
  expect(JSON.parse(second)).toMatchObject({ type: 'notice', severity: 'info', message: 'ended' })
})

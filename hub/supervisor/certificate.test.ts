import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { followCertificate, readCertificate } from '#hub/supervisor/certificate.ts'

let directory = ''
const file = (name: string): string => join(directory, name)
const files = { cert: '', key: '' }

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'certificate-'))
  for (const name of ['one', 'two']) {
    const line = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=${name} -days 2`
    execFileSync(
      'openssl',
      [...line.split(' '), '-keyout', file(`${name}.key`), '-out', file(`${name}.pem`)],
      {
        stdio: 'pipe',
      },
    )
  }
  Object.assign(files, { cert: file('cert.pem'), key: file('key.pem') })
})
afterAll(() => rmSync(directory, { recursive: true }))
beforeEach(() => use('one', 'one'))

function use(cert: string, key: string): void {
  copyFileSync(file(`${cert}.pem`), files.cert)
  copyFileSync(file(`${key}.key`), files.key)
  chmodSync(files.key, 0o640)
}

describe('readCertificate', () => {
  it('gives both in PEM', () => {
    expect(readCertificate(files)).toEqual({
      cert: readFileSync(file('one.pem'), 'utf8'),
      key: readFileSync(file('one.key'), 'utf8'),
    })
  })

  it.each<[string, () => void, string]>([
    ['of another key', () => use('one', 'two'), 'is not the key of'],
    ['whose key everybody can read', () => chmodSync(files.key, 0o644), 'can be read by others'],
    ['whose key is none', () => copyFileSync(file('one.pem'), files.key), 'is no private key in PEM'],
    ['that is none', () => writeFileSync(files.cert, 'x'), 'is no certificate in PEM'],
    ['that is not there', () => rmSync(files.cert), 'cannot read --cert'],
  ])('refuses one %s', (_what, spoil, why) => {
    spoil()
    chmodSync(files.key, why.includes('others') ? 0o644 : 0o600)
    expect(() => readCertificate(files)).toThrow(why)
  })
})

describe('followCertificate', () => {
  it('tells of a new one when both files fit, and of a fault', async () => {
    const onChange = vi.fn<(certificate: { cert: string }) => void>()
    const onProblem = vi.fn<(error: unknown) => void>()
    const stop = followCertificate(files, onChange, onProblem)
    use('two', 'two')
    await vi.waitFor(() => expect(onChange).toHaveBeenCalled(), { timeout: 15_000, interval: 50 })
    expect(onChange.mock.calls[0]?.[0].cert).toBe(readFileSync(file('two.pem'), 'utf8'))
    writeFileSync(files.cert, 'x')
    await vi.waitFor(() => expect(onProblem).toHaveBeenCalled(), { timeout: 15_000, interval: 50 })
    expect(String(onProblem.mock.calls[0]?.[0])).toContain('is no certificate in PEM')
    stop()
  }, 40_000)
})

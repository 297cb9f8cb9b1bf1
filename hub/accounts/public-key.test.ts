import { execFileSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { parsePublicKey, parsePublicKeyFile } from '#hub/accounts/public-key.ts'

const directory = mkdtempSync(join(tmpdir(), 'hybridge-key-'))
afterAll(() => rmSync(directory, { recursive: true }))

/** A key of ssh-keygen. @returns its `.pub` line and its fingerprint */
function generate(type: string, bits: string): { line: string; fingerprint: string } {
  const file = join(directory, `${type}${bits}`)
  execFileSync('ssh-keygen', [
    '-q',
    '-t',
    type,
    ...(bits ? ['-b', bits] : []),
    '-N',
    '',
    '-C',
    'ann@lap top',
    '-f',
    file,
  ])
  const [, fingerprint = ''] = execFileSync('ssh-keygen', ['-l', '-f', `${file}.pub`], {
    encoding: 'utf8',
  }).split(' ')
  return { line: readFileSync(`${file}.pub`, 'utf8'), fingerprint }
}

/** Line of an RSA key of so many bits. */
function rsaLine(bits: number): string {
  const { n = '', e = '' } = generateKeyPairSync('rsa', { modulusLength: bits }).publicKey.export({
    format: 'jwk',
  })
  const parts = [
    Buffer.from('ssh-rsa'),
    Buffer.from(e, 'base64url'),
    Buffer.concat([Buffer.of(0), Buffer.from(n, 'base64url')]),
  ]
  return `ssh-rsa ${blobOf(parts)}`
}

const blobOf = (parts: readonly Uint8Array[]): string =>
  Buffer.concat(
    parts.flatMap((part) => {
      const length = Buffer.alloc(4)
      length.writeUInt32BE(part.length)
      return [length, part]
    }),
  ).toString('base64')

/** Fingerprint of the key, or kind of the error. */
function outcomeOf(text: string): string {
  try {
    return parsePublicKeyFile(text, 'f').fingerprint
  } catch (error) {
    return error instanceof Error ? error.name : 'thrown'
  }
}

const ed25519 = `ssh-ed25519 ${blobOf([Buffer.from('ssh-ed25519'), Buffer.alloc(32, 7)])}`

describe('parsePublicKeyFile', () => {
  it.each([
    ['ed25519', ''],
    ['ecdsa', '256'],
    ['ecdsa', '384'],
    ['ecdsa', '521'],
    ['rsa', '2048'],
  ])('reads what ssh-keygen -t %s %s writes', (type, bits) => {
    const { line, fingerprint } = generate(type, bits)
    const key = parsePublicKeyFile(`# mine\r\n\r\n${line}`, 'ann.pub')
    expect(key).toMatchObject({ type: line.split(' ')[0], comment: 'ann@lap top', fingerprint })
    expect(Buffer.from(key.blob).toString('base64')).toBe(line.split(' ')[1])
  })

  it.each([
    ['', 'ann.pub: no key in it'],
    ['-----BEGIN OPENSSH PRIVATE KEY-----', 'ann.pub: a private key; give the public one (ann.pub.pub)'],
    [`\n${ed25519}\n${ed25519}\n`, 'ann.pub:3: a second key; one a file'],
    [
      `no-pty,command="x y" ${ed25519}`,
      'ann.pub:1: options before the key type are not supported; remove them',
    ],
    [`restrict ${ed25519}`, 'ann.pub:1: options before the key type are not supported; remove them'],
    ['\nssh-dss AAAA', 'ann.pub:2: DSA keys are too weak; make one with ssh-keygen -t ed25519'],
    [
      'sk-ssh-ed25519@openssh.com AAAA',
      'ann.pub:1: sk-ssh-ed25519@openssh.com: keys of security tokens are not supported',
    ],
    ['ssh-ed25519-cert-v01@openssh.com AAAA', 'ann.pub:1: a certificate; give the plain public key'],
    ['ssh-ed25519', 'ann.pub:1: no base64 behind ssh-ed25519'],
    ['ssh-ed25519 ****', 'ann.pub:1: no base64 behind ssh-ed25519'],
    [
      ed25519.replace(/^ssh-ed25519/, 'ssh-rsa'),
      'ann.pub:1: the line says ssh-rsa, the key in it "ssh-ed25519"',
    ],
    [
      'hello',
      'ann.pub:1: unknown key type "hello"; known are ssh-ed25519, ecdsa-sha2-nistp256/384/521 and ssh-rsa',
    ],
  ])('refuses %j', (text, message) => {
    expect(() => parsePublicKeyFile(text, 'ann.pub')).toThrow(message)
  })

  it('refuses RSA keys that are too short', () => {
    expect(() => parsePublicKey(rsaLine(1024), 'f:1')).toThrow(
      'f:1: an RSA key of 1024 bits; at least 2048 are needed',
    )
    expect(parsePublicKey(rsaLine(2048), 'f:1').type).toBe('ssh-rsa')
  })

  it('refuses every truncation and every added octet', () => {
    const blob = Buffer.from(ed25519.split(' ')[1] ?? '', 'base64')
    for (let length = 0; length < blob.length; length++) {
      const line = `ssh-ed25519 ${blob.subarray(0, length).toString('base64')}`
      expect(() => parsePublicKey(line, 'f:1')).toThrow('f:1: ')
    }
    const longer = `ssh-ed25519 ${Buffer.concat([blob, Buffer.of(0)]).toString('base64')}`
    expect(() => parsePublicKey(longer, 'f:1')).toThrow('cut short or has octets too many')
  })

  it('answers any text with a key or an error for people', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.base64String().map((text) => `ssh-rsa ${text}`),
        ),
        (text) => {
          expect(outcomeOf(text)).toMatch(/^(SHA256:|ConfigError)/)
        },
      ),
    )
  })
})

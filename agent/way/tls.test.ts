import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:tls'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { EXIT_CERTIFICATE, EXIT_UNREACHABLE } from '#agent/exit-codes.ts'
import { parseFingerprint, readAuthorities, secure, type Trust } from '#agent/way/tls.ts'
import { directWay } from '#agent/way/way.ts'
import { httpProxyWay } from '#agent/way/http-proxy.ts'
import { parseProxy } from '#agent/way/proxy-address.ts'
import { proxyLogin } from '#agent/way/proxy-login.ts'
import { webSocketWay } from '#agent/way/websocket-way.ts'
import { descriptors, listen } from '#test/support/loopback.ts'

const OPEN = 'HTTP/1.1 200 ok\r\n\r\nSSH-2.0-hub\r\n'
const REFUSED = 'HTTP/1.1 400 no\r\n\r\n'

let directory = ''
const file = (name: string): string => join(directory, name)
const openssl = (line: string): string =>
  execFileSync('openssl', line.split(' '), { cwd: directory, encoding: 'utf8', stdio: 'pipe' })

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'tls-'))
  const curve = '-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes'
  openssl(`req -x509 ${curve} -subj /CN=authority -days 2 -keyout ca.key -out ca.pem`)
  openssl(`req ${curve} -subj /CN=hub -keyout hub.key -out hub.csr`)
  writeFileSync(file('names'), 'subjectAltName=IP:127.0.0.1')
  const sign = 'x509 -req -in hub.csr -CA ca.pem -CAkey ca.key -CAcreateserial'
  openssl(`${sign} -days 2 -extfile names -out good.pem`)
  openssl(`${sign} -days 2 -out nameless.pem`)
  openssl(`${sign} -days 0 -extfile names -out expired.pem`)
})
afterAll(() => rmSync(directory, { recursive: true }))

const attempt = () => ({ lastRoundTripMs: undefined, ask: undefined, signal: new AbortController().signal })

/** TLS to a server with the certificate. */
async function meet(certificate: string, trust: Partial<Trust>): Promise<boolean> {
  const server: Server = createServer({
    cert: readFileSync(file(certificate)),
    key: readFileSync(file('hub.key')),
  })
  server.on('secureConnection', (socket) => socket.on('error', () => {}))
  const port = await listen(server)
  try {
    const to = { what: 'the hub', host: '127.0.0.1', port }
    const connection = await secure(
      await directWay(to, attempt()),
      to,
      { ca: undefined, fingerprint: undefined, ...trust },
      attempt(),
    )
    connection.socket.destroy()
    return true
  } finally {
    server.close()
  }
}
const printOf = (certificate: string): string =>
  parseFingerprint(
    openssl(`x509 -in ${certificate} -noout -fingerprint -sha256`)
      .trim()
      .replace('Fingerprint=', ':')
      .replace(' :', ':'),
  )

describe('secure', () => {
  it('takes what an authority has signed for the address, and what is pinned', async () => {
    const ca = readFileSync(file('ca.pem'), 'utf8')
    expect(await meet('good.pem', { ca })).toBe(true)
    expect(await meet('expired.pem', { fingerprint: printOf('expired.pem') })).toBe(true)
  })

  it.each([
    ['of an unknown authority', 'good.pem', {}, 'an authority that is not known here. If the operator'],
    ['for another name', 'nameless.pem', { ca: 'ca.pem' }, 'it is for another name (none)'],
    ['that has expired', 'expired.pem', { ca: 'ca.pem' }, 'it has expired ('],
    [
      'that is not the pinned one',
      'good.pem',
      { ca: 'ca.pem', fingerprint: 'ab'.repeat(32) },
      'another fingerprint',
    ],
  ])(
    'refuses one %s, shows its fingerprint, and leaves nothing open',
    async (_what, certificate, trust, message) => {
      const before = descriptors()
      const settled = { ...trust, ...('ca' in trust && { ca: readFileSync(file(trust.ca), 'utf8') }) }
      const print = printOf(certificate).toUpperCase().match(/../g)?.join(':') ?? ''
      await expect(meet(certificate, settled)).rejects.toMatchObject({
        exitCode: EXIT_CERTIFICATE,
        message: expect.stringContaining(message),
      })
      await expect(meet(certificate, settled)).rejects.toThrow(`SHA256:${print}`)
      await expect.poll(descriptors).toBeLessThanOrEqual(before)
    },
  )

  it('says what does not speak TLS', async () => {
    const { createServer: plain } = await import('node:net')
    const server = plain((socket) => socket.end('220 mail.example\r\n'))
    const to = { what: 'the hub', host: '127.0.0.1', port: await listen(server) }
    await expect(
      secure(await directWay(to, attempt()), to, { ca: undefined, fingerprint: undefined }, attempt()),
    ).rejects.toMatchObject({
      exitCode: EXIT_UNREACHABLE,
      message: expect.stringContaining('does not speak TLS'),
    })
    server.close()
  })
})

describe('an HTTPS proxy', () => {
  it('is spoken to through TLS', async () => {
    const server = createServer(
      { cert: readFileSync(file('good.pem')), key: readFileSync(file('hub.key')) },
      (socket) => {
        socket.on('error', () => {})
        socket.once('data', (said) =>
          socket.write(said.toString().startsWith('CONNECT hub:2222 ') ? OPEN : REFUSED),
        )
      },
    )
    const proxy = parseProxy(`https://127.0.0.1:${await listen(server)}`, 'the test')
    if (proxy === undefined) throw new Error('no proxy')
    const ca = readFileSync(file('ca.pem'), 'utf8')
    const way = httpProxyWay(proxy, proxyLogin(proxy), { ca, fingerprint: undefined }, directWay)
    const { stream, socket } = await way({ what: 'the hub', host: 'hub', port: 2222 }, attempt())
    const said = await new Promise((resolve) => {
      stream.once('data', (octets: Buffer) => resolve(octets.toString()))
      stream.resume()
    })
    expect(said).toBe('SSH-2.0-hub\r\n')
    socket.destroy()
    server.close()
  })
})

describe('a WebSocket', () => {
  it('whose first message comes with the answer, and is none, closes and does no more', async () => {
    const server = createServer(
      { cert: readFileSync(file('good.pem')), key: readFileSync(file('hub.key')) },
      (socket) => {
        socket.on('error', () => {})
        socket.once('data', (said) => {
          const [, key = ''] = /^sec-websocket-key: (\S+)/im.exec(said.toString()) ?? []
          const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
          const answer = 'HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n'
          socket.write(`${answer}sec-websocket-accept: ${accept.digest('base64')}\r\n\r\nno message`)
        })
      },
    )
    const to = { what: 'the hub', host: '127.0.0.1', port: await listen(server) }
    const trust = { ca: readFileSync(file('ca.pem'), 'utf8'), fingerprint: undefined }
    const { stream, socket } = await webSocketWay('/', trust, directWay)(to, attempt())
    await expect.poll(() => stream.destroyed).toBe(true)
    socket.destroy()
    server.close()
  })
})

describe('parseFingerprint', () => {
  it('reads hexadecimal digits with colons or without, and base64', () => {
    const hex = 'ab'.repeat(32)
    expect(parseFingerprint(`SHA256:${hex.toUpperCase().match(/../g)?.join(':')}`)).toBe(hex)
    expect(parseFingerprint(`sha256:${hex}`)).toBe(hex)
    expect(parseFingerprint(`SHA256:${Buffer.from(hex, 'hex').toString('base64').replace('=', '')}`)).toBe(
      hex,
    )
    for (const text of ['', 'SHA256:', 'SHA256:ab', `SHA1:${'ab'.repeat(20)}`, 'x'.repeat(64)])
      expect(() => parseFingerprint(text)).toThrow('bad fingerprint')
  })
})

describe('readAuthorities', () => {
  it('reads the file that is named, and says what is wrong with it', () => {
    expect(readAuthorities(file('ca.pem'), {})).toContain('BEGIN CERTIFICATE')
    expect(readAuthorities(undefined, { SSL_CERT_FILE: file('ca.pem') })).toContain('BEGIN CERTIFICATE')
    expect(() => readAuthorities(file('none.pem'), {})).toThrow('cannot read certificates')
    expect(() => readAuthorities(file('ca.key'), {})).toThrow('there is no certificate in')
  })
})

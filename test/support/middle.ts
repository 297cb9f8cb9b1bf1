/** Programs of others that stand between an agent and a hub, each as it is set up by hand. */
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Namespace } from '#test/support/netns.ts'
import type { Running } from '#test/support/process.ts'

/** Something that listens in a namespace, and can be cut down with all its connections. */
export class Middle {
  readonly #at: Namespace
  readonly #port: number
  readonly #start: () => Running
  #running: Running | undefined

  private constructor(at: Namespace, port: number, start: () => Running) {
    this.#at = at
    this.#port = port
    this.#start = start
  }

  private static async run(at: Namespace, port: number, start: () => Running): Promise<Middle> {
    const middle = new Middle(at, port, start)
    await middle.start()
    return middle
  }

  /** OpenSSH, for the user who runs the tests, with a key. */
  static async sshd(
    at: Namespace,
    port: number,
    publicKey: string,
    settings: readonly string[] = [],
  ): Promise<Middle> {
    const directory = mkdtempSync(join(at.directory, 'sshd-'))
    const hostKey = join(directory, 'host_key')
    await at.run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', hostKey])
    writeFileSync(
      join(directory, 'config'),
      [
        `HostKey ${hostKey}`,
        `AuthorizedKeysFile ${publicKey}`,
        'PidFile none',
        'UsePAM no',
        'StrictModes no',
        `Port ${port}`,
        ...settings,
      ].join('\n'),
    )
    mkdirSync('/run/sshd', { recursive: true }) // as its Debian package's service makes it
    return Middle.run(at, port, () =>
      at.spawn('/usr/sbin/sshd', ['-D', '-e', '-f', join(directory, 'config')]),
    )
  }

  /** tinyproxy, which lets ann with the password `open-sesame` connect to the given ports. */
  static httpProxy(at: Namespace, port: number, ports: readonly number[]): Promise<Middle> {
    const file = join(mkdtempSync(join(at.directory, 'tinyproxy-')), 'config')
    const connect = ports.map((allowed) => `ConnectPort ${allowed}`)
    const lines = [`Port ${port}`, 'Timeout 600', 'LogLevel Connect', 'BasicAuth ann open-sesame', ...connect]
    writeFileSync(file, `${lines.join('\n')}\n`)
    return Middle.run(at, port, () => at.spawn('tinyproxy', ['-d', '-c', file]))
  }

  /** microsocks, for the same user. */
  static socksProxy(at: Namespace, port: number): Promise<Middle> {
    const args = ['-i', '::', '-p', String(port), '-u', 'ann', '-P', 'open-sesame']
    return Middle.run(at, port, () => at.spawn('microsocks', args))
  }

  /** nginx, which makes TLS and passes WebSockets of every path on to `target`. */
  static nginx(
    at: Namespace,
    port: number,
    certificate: { cert: string; key: string },
    target: string,
  ): Promise<Middle> {
    const directory = mkdtempSync(join(at.directory, 'nginx-'))
    const file = join(directory, 'config')
    writeFileSync(
      file,
      `
daemon off;
user root;
worker_processes 1;
pid ${directory}/pid;
error_log stderr;
events {}
http {
  access_log off;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${directory}/${name};`).join('\n  ')}
  server {
    listen ${port} ssl;
    listen [::]:${port} ssl;
    ssl_certificate ${certificate.cert};
    ssl_certificate_key ${certificate.key};
    location / {
      proxy_pass http://${target};
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection "upgrade";
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_read_timeout 1h;
      proxy_buffering off;
    }
  }
}
`,
    )
    return Middle.run(at, port, () => at.spawn('nginx', ['-c', file]))
  }

  async start(): Promise<void> {
    this.#running = this.#start()
    await this.#at.listening(this.#port)
  }

  /** Ends it with everything that it has open. */
  async cut(): Promise<void> {
    const { pid } = this.#running ?? {}
    if (pid === undefined) return
    for (const child of descendants(pid)) process.kill(child, 'SIGKILL')
    await this.#running?.stop('SIGKILL')
  }
}

/** Processes that it has started, and those that they have. */
function descendants(pid: number): number[] {
  const list = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
  const children = list.split(' ').filter(Boolean).map(Number)
  return children.flatMap((child) => [child, ...descendants(child)])
}

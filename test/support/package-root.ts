/**
 * A root directory with the Debian package in it, and programs that run there as one of its users. By default it has
 * nothing but the package, the shared libraries that it needs, a shell and users, and its capabilities are set here. With
 * `PACKAGE_ROOT=debootstrap` it is a Debian of minimal size in which apt installs the package (`npm run package --
 * --verify`): that its dependencies suffice and that its scripts work is seen only there.
 */
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

const isInstalled = process.env['PACKAGE_ROOT'] === 'debootstrap'
const PASSWD = `root:x:0:0::/root:/bin/sh
hybridge:x:990:990::/var/lib/hybridge:/usr/sbin/nologin
ann:x:1000:1000::/home/ann:/bin/sh
nobody:x:65534:65534::/nonexistent:/usr/sbin/nologin
`
const GROUP = 'root:x:0:\nhybridge:x:990:\nhconnect:x:991:ann\nann:x:1000:\nnogroup:x:65534:\n'
const SHELL = '/bin/sh'
const ANN = 1000
const HCONNECT_GROUP = 991
const MIRROR = 'http://deb.debian.org/debian'
/** A /proc, and the /sys of the network namespace that it is called in; both end with the program. */
const ENTER =
  'root=$1; shift; mount -t proc proc "$root/proc" && mount --rbind /sys "$root/sys" && exec env -i "$@"'

export interface AsUser {
  /** Default: root. */
  readonly user?: 'ann'
  readonly env?: Readonly<Record<string, string>>
}

export class PackageRoot {
  readonly path: string

  private constructor(path: string) {
    this.path = path
  }

  static make(deb: string): PackageRoot {
    const path = mkdtempSync(join(tmpdir(), 'package-root-'))
    chmodSync(path, 0o755)
    if (isInstalled) install(path, deb)
    else extract(path, deb)
    return new PackageRoot(path)
  }

  /** Arguments of `unshare` that run `args` in the root. */
  enter(args: readonly string[], { user, env = {} }: AsUser = {}): string[] {
    const variables = {
      PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
      HOME: user ? `/home/${user}` : '/root',
      ...env,
    }
    const settings = Object.entries(variables).map(([name, value]) => `${name}=${value}`)
    const identity = user ? [`--userspec=${user}:${user}`, '--groups=hconnect'] : []
    return [
      '--mount',
      'sh',
      '-c',
      ENTER,
      'sh',
      this.path,
      ...settings,
      'chroot',
      ...identity,
      this.path,
      ...args,
    ]
  }

  /** Puts a file there, which is ann's. */
  give(path: string, content: string | Uint8Array): void {
    const file = join(this.path, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, content, { mode: 0o600 })
    chownSync(file, ANN, ANN)
  }

  close(): void {
    if (isInstalled) run('chroot', this.path, 'apt-get', 'purge', '-y', '-qq', 'hybridge')
    rmSync(this.path, { recursive: true, force: true })
  }
}

function extract(root: string, deb: string): void {
  run('dpkg-deb', '-x', deb, root)
  for (const path of ['dev', 'etc', 'home/ann', 'proc', 'root', 'run', 'sys', 'tmp', 'var/lib'])
    mkdirSync(join(root, path), { recursive: true })
  chmodSync(join(root, 'tmp'), 0o1777)
  chownSync(join(root, 'home/ann'), ANN, ANN)
  writeFileSync(join(root, 'etc/passwd'), PASSWD)
  writeFileSync(join(root, 'etc/group'), GROUP)
  for (const [name, minor] of [
    ['null', '3'],
    ['urandom', '9'],
  ] as const)
    run('mknod', '-m', '666', join(root, 'dev', name), 'c', '1', minor)

  const agent = join(root, 'usr/bin/hconnect')
  const addons = readdirSync(join(root, 'usr/lib/hybridge')).map((name) =>
    join(root, 'usr/lib/hybridge', name),
  )
  const libraries = run('ldd', agent, SHELL, ...addons).match(/\/\S+\.so\.\S+/g) ?? []
  for (const file of [SHELL, ...libraries]) {
    mkdirSync(join(root, dirname(file)), { recursive: true })
    copyFileSync(file, join(root, file))
  }
  // As tool/package/debian/postinst does.
  chownSync(agent, 0, HCONNECT_GROUP)
  chmodSync(agent, 0o750)
  run('setcap', 'cap_net_raw,cap_net_admin+ep', agent)
}

function install(root: string, deb: string): void {
  run('debootstrap', '--variant=minbase', 'bookworm', root, MIRROR)
  copyFileSync(deb, join(root, 'tmp/hybridge.deb'))
  run(
    'chroot',
    root,
    'apt-get',
    'install',
    '-y',
    '-qq',
    '--no-install-recommends',
    '/tmp/hybridge.deb',
    'libpcap0.8',
  )
  run('chroot', root, 'useradd', '--uid', String(ANN), '--create-home', '--groups', 'hconnect', 'ann')
}

const run = (program: string, ...args: string[]): string =>
  execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 1 << 26 })

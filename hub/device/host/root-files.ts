/**
 * What the root directory of a host device is made of, besides what its disk keeps: directories and links that are made
 * at every start, and what is mounted on them of the machine's. Paths are relative to the root directory.
 */

/** A look at the machine's directory tree. */
export interface Machine {
  /** `undefined`: there is no such file. A link is told as such. */
  kindOf(path: string): 'directory' | 'file' | 'link' | undefined
  list(path: string): string[]
  /** Of a link. */
  target(path: string): string
}

export interface RootFiles {
  readonly directories: readonly string[]
  readonly links: readonly { readonly path: string; readonly target: string }[]
  /** Mounted read-only at the same place as on the machine. */
  readonly shared: readonly { readonly path: string; readonly kind: 'directory' | 'file' }[]
}

/** Programs and what they need; links where the machine has all of it in /usr. */
const PROGRAMS = ['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32']
/** Settings of programs that only name files of /usr, and change with it. */
const SETTINGS = [
  'etc/alternatives',
  'etc/crypto-policies',
  'etc/ld.so.cache',
  'etc/ld.so.conf',
  'etc/ld.so.conf.d',
  'etc/pki/ca-trust',
  'etc/pki/tls/certs',
  'etc/ssl/certs',
  'etc/ssl/openssl.cnf',
  'etc/terminfo',
]
/** Everything below is made anew at each start. */
const VOLATILE = ['dev', 'proc', 'run', 'sys', 'tmp'] as const
const DIRECTORIES = [...VOLATILE, 'dev/pts', 'dev/shm', 'run/host', 'etc', 'home', 'root', 'usr', 'usr/local']

export function rootFiles(machine: Machine): RootFiles {
  const usr = machine
    .list('/usr')
    .filter((name) => name !== 'local')
    .map((name) => `usr/${name}`)
  const links: { path: string; target: string }[] = []
  const shared: { path: string; kind: 'directory' | 'file' }[] = []
  for (const path of [...PROGRAMS, ...usr, ...SETTINGS]) {
    const kind = machine.kindOf(`/${path}`)
    if (kind === 'link') links.push({ path, target: machine.target(`/${path}`) })
    else if (kind !== undefined) shared.push({ path, kind })
  }
  return { directories: DIRECTORIES, links, shared }
}

/** Those of `secrets`, absolute paths, that lie in what is shared. */
export function secretsIn(shared: RootFiles['shared'], secrets: readonly string[]): string[] {
  return secrets.filter((secret) => shared.some(({ path }) => `${secret}/`.startsWith(`/${path}/`)))
}

/** What the disk does not keep: it is made, or mounted, at every start. */
export function notKept({ links, shared }: RootFiles): string[] {
  return [...VOLATILE, ...[...links, ...shared].map(({ path }) => path)]
}

/**
 * The root directory of a host device: a tmpfs, which is its disk, with the machine's programs mounted on it. It is made
 * on WORLD in the device's working directory, in the mount namespace of the device's own process.
 */
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { originalDisk } from '#hub/device/host/original-disk.ts'
import { type Machine, type RootFiles, rootFiles, secretsIn } from '#hub/device/host/root-files.ts'
import {
  MS_NODEV,
  MS_NOEXEC,
  MS_NOSUID,
  MS_RDONLY,
  bindMount,
  detachMount,
  makeReadOnly,
  mountFilesystem,
} from '#hub/device/host/system-calls.ts'

export const WORLD = 'world'
/** What the device's process gives to its world, which sees it in /run/host and cannot change it. */
export const GIVEN = 'given'
const GIVEN_OPTIONS = 'size=256k,nr_inodes=16,mode=755'
const INODES_PER_MB = 256
const NODES = ['null', 'zero', 'full', 'random', 'urandom', 'tty']
const TTY_GROUP = 5
const MOST_TERMINALS = 64
const OTHERS_READ = 0o004

export interface RootOptions {
  readonly hostname: string
  readonly diskMb: number
  /** Whether there are users besides root. */
  readonly hasUsers: boolean
  /** Whether to put the original disk there. */
  readonly original: boolean
  /** Descriptor of a terminal, which is there as /dev/console. */
  readonly console: number
  /** Directories and files of the machine that are not to be seen, as absolute paths. */
  readonly secrets: readonly string[]
}

/** What the machine has; read once. */
const machine: Machine = {
  kindOf(path) {
    const file = lstatSync(path, { throwIfNoEntry: false })
    if (file?.isSymbolicLink() === true) return 'link'
    if (file?.isDirectory() === true) return 'directory'
    return file?.isFile() === true ? 'file' : undefined
  },
  list: (path) => readdirSync(path),
  target: (path) => readlinkSync(path),
}

/** @throws SystemError when something of it is not allowed here */
export function makeRoot(options: RootOptions): RootFiles {
  const files = rootFiles(machine)
  for (const name of [WORLD, GIVEN]) mkdirSync(name, { recursive: true, mode: 0o700 })
  const disk = `size=${options.diskMb}m,nr_inodes=${options.diskMb * INODES_PER_MB},mode=755`
  mountFilesystem('tmpfs', WORLD, MS_NOSUID | MS_NODEV, disk)
  makeSkeleton(files)
  shareMachine(files, options.secrets)
  if (options.original) writeOriginalDisk(options)
  makeDevices(options)
  return files
}

/** Takes it away again. @throws SystemError */
export function removeRoot(): void {
  for (const mount of [WORLD, GIVEN]) detachMount(mount)
}

function makeSkeleton({ directories, links, shared }: RootFiles): void {
  const previous = process.umask(0o022)
  for (const path of directories) mkdirSync(`${WORLD}/${path}`, { recursive: true })
  for (const { path, target } of links) {
    mkdirSync(dirname(`${WORLD}/${path}`), { recursive: true })
    symlinkSync(target, `${WORLD}/${path}`)
  }
  for (const { path, kind } of shared) makeMountPoint(`${WORLD}/${path}`, kind)
  for (const path of ['tmp', 'dev/shm']) chmodSync(`${WORLD}/${path}`, 0o1777)
  process.umask(previous)
}

function makeMountPoint(path: string, kind: 'directory' | 'file'): void {
  mkdirSync(kind === 'directory' ? path : dirname(path), { recursive: true })
  if (kind === 'file') writeFileSync(path, '')
}

function shareMachine({ shared }: RootFiles, secrets: readonly string[]): void {
  for (const { path } of shared) {
    bindMount(`/${path}`, `${WORLD}/${path}`)
    makeReadOnly(`${WORLD}/${path}`)
  }
  for (const path of secretsIn(shared, secrets)) hide(`${WORLD}${path}`)
  mountFilesystem('tmpfs', GIVEN, MS_NOSUID | MS_NODEV, GIVEN_OPTIONS)
  bindMount(GIVEN, `${WORLD}/run/host`)
  makeReadOnly(`${WORLD}/run/host`)
}

function hide(path: string): void {
  if (!existsSync(path)) return
  if (statSync(path).isDirectory()) mountFilesystem('tmpfs', path, MS_RDONLY, 'size=4k,nr_inodes=1')
  else bindMount('/dev/null', path)
}

function writeOriginalDisk({ hostname, hasUsers }: RootOptions): void {
  const previous = process.umask(0o022)
  const disk = originalDisk(hostname, hasUsers)
  for (const { path, mode } of disk.directories) {
    mkdirSync(`${WORLD}/${path}`, { recursive: true })
    chmodSync(`${WORLD}/${path}`, mode)
  }
  for (const path of disk.copied) copy(`/${path}`, `${WORLD}/${path}`)
  for (const { path, text, mode } of disk.files) {
    writeFileSync(`${WORLD}/${path}`, text)
    chmodSync(`${WORLD}/${path}`, mode)
  }
  for (const { path, target } of disk.links) symlinkSync(target, `${WORLD}/${path}`)
  process.umask(previous)
}

/** What nobody may read is left out. Not cpSync, which makes paths absolute: the directories above may be closed. */
function copy(source: string, target: string): void {
  const kind = statSync(source, { throwIfNoEntry: false })
  if (kind?.isDirectory() === true) {
    mkdirSync(target, { recursive: true })
    for (const name of readdirSync(source)) copy(`${source}/${name}`, `${target}/${name}`)
  } else if (kind?.isFile() === true && (kind.mode & OTHERS_READ) !== 0) copyFileSync(source, target)
}

function makeDevices({ hasUsers, console }: RootOptions): void {
  const dev = join(WORLD, 'dev')
  for (const name of NODES) {
    writeFileSync(`${dev}/${name}`, '')
    bindMount(`/dev/${name}`, `${dev}/${name}`)
  }
  writeFileSync(`${dev}/console`, '')
  bindMount(`/proc/self/fd/${console}`, `${dev}/console`)
  const group = hasUsers ? `,gid=${TTY_GROUP}` : ''
  const terminals = `newinstance,ptmxmode=0666,mode=0620,max=${MOST_TERMINALS}${group}`
  mountFilesystem('devpts', `${dev}/pts`, MS_NOSUID | MS_NOEXEC, terminals)
  for (const [name, target] of [
    ['ptmx', 'pts/ptmx'],
    ['fd', '/proc/self/fd'],
    ['stdin', 'fd/0'],
    ['stdout', 'fd/1'],
    ['stderr', 'fd/2'],
  ] as const)
    symlinkSync(target, `${dev}/${name}`)
  try {
    mountFilesystem('sysfs', `${WORLD}/sys`, MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC)
  } catch {
    // Where the machine itself does not see all of /sys, as in a container; few programs miss it.
  }
}

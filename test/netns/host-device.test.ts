/**
 * The world of a host device, tried out from its console: what it has, what it cannot reach, what it cannot use up, and
 * what it keeps.
 *
 *   [machine: hub, topology lab: h1 --- lan --- h2]
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { deviceDirectory } from '#hub/base/device-paths.ts'
import { groupOfHub } from '#hub/supervisor/control-group.ts'
import { DeviceShell } from '#test/support/device-shell.ts'
import { Hub, WITH_MACHINE_MOUNTS } from '#test/support/hub.ts'
import { Lab, type Namespace } from '#test/support/netns.ts'
import { until } from '#test/support/process.ts'
import { RunningTopology } from '#test/support/topology.ts'

const GROUPS = ['/sys/fs/cgroup', '/sys/fs/cgroup/memory', '/sys/fs/cgroup/pids', '/sys/fs/cgroup/cpu']

let lab: Lab
let machine: Namespace
let hub: Hub
let topology: RunningTopology
let shell: DeviceShell

const groups = (): string[] => GROUPS.filter((at) => existsSync(join(at, groupOfHub(hub.data))))

beforeAll(async () => {
  lab = new Lab()
  machine = lab.namespace('machine')
  const through = [...WITH_MACHINE_MOUNTS, 'bash', '-c', 'exec 200</dev/null "$0" "$@"'] as const
  hub = await Hub.start(machine, { address: '127.0.0.1', through })
  topology = await RunningTopology.start(
    hub,
    'lab',
    `#include "common.defs"
TOPOLOGY_START(lab)
  vm "h1" { hostname "h1.example"; CENTOS_LATEST interface "em1" { bridge "lan"; }; };
  vm "h2" { hostname "h2"; CENTOS_LATEST interface "em1" { bridge "lan"; }; };
  PRIVATE_BRIDGES
TOPOLOGY_END
`,
  )
  shell = await DeviceShell.open(hub, 'lab', 1)
})
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(lab.story())
})
afterAll(async () => {
  shell.close()
  await hub.process.stop('SIGTERM', 30_000) // with the devices, which are not in the machine's namespace
  lab.close()
})

/** The process that holds a device. */
const devicePid = async (number: number): Promise<number> => (await topology.device(number)).pid

/** After a device was switched off: the same place in the topology, a new console. */
async function openAgain(): Promise<void> {
  shell.close()
  await topology.device(1)
  shell = await DeviceShell.open(hub, 'lab', 1)
}

const file = (name: string): string => join(hub.data, deviceDirectory('lab', 1), name)

describe('has', () => {
  it('a name, a terminal, users and programs of its own', async () => {
    expect(await shell.run('hostname; id -un; tty; echo $HOME')).toBe(
      'h1.example\nroot\n/dev/console\n/root\n0',
    )
    expect(await shell.run('useradd -m joe && su - joe -c "id -u; touch x; ls -l x"')).toMatch(
      /^1000\n-rw.* joe joe 0 .* x\n0$/,
    )
    expect(
      await shell.run(
        'ping -c 1 -W 5 127.0.0.1 | grep -o "1 received"; su - joe -c "ping -c1 127.0.0.1" > /dev/null',
      ),
    ).toBe('1 received\n0')
    expect(await shell.run('type traceroute curl ssh ip tcpdump tar python3 > /dev/null')).toBe('0')
  })

  it('tcpdump, and ssh into it with a key', async () => {
    const capture =
      'ping -i 0.2 -w 20 127.0.0.1 > /dev/null & tcpdump --immediate-mode -c 1 -n -i lo icmp 2>&1; kill $!'
    expect(await shell.run(capture)).toMatch(/IP 127\.0\.0\.1 > 127\.0\.0\.1: ICMP echo request/)
    await shell.run(
      `ssh-keygen -A && mkdir -p .ssh && ssh-keygen -q -t ed25519 -N "" -f .ssh/id_ed25519 && cp .ssh/id_ed25519.pub .ssh/authorized_keys && /usr/sbin/sshd`,
    )
    expect(await shell.run('ssh -n -o StrictHostKeyChecking=no -tt 127.0.0.1 tty 2>/dev/null')).toMatch(
      /^\/dev\/pts\/\d+\n0$/,
    )
  })

  it('a first process that takes in orphans, and a new login shell when one has ended', async () => {
    expect(await shell.run('(sleep 0.1 &); sleep 0.5; ps -e -o stat= | grep -c Z')).toBe('0\n1')
    const before = await shell.run('echo $$')
    shell.type('exit\n')
    await shell.login()
    expect(await shell.run('echo $$')).not.toBe(before)
  })
})

describe('cannot', () => {
  it("see the hub's files, nor the machine's", async () => {
    for (const path of [join(hub.data, 'ssh_host_ed25519_key'), hub.data, lab.directory, '/work', '/boot'])
      expect(await shell.run(`cat ${path}; ls ${path}`)).toMatch(/No such file.*\n.*No such file/)
    expect(await shell.run("grep -v ':[*!]:' /etc/shadow; cat /etc/hostname")).toBe('h1.example\n0')
    const mounts = await shell.run('cat /proc/self/mountinfo /proc/1/mountinfo')
    expect(mounts).not.toContain(hub.data)
    expect(mounts).not.toMatch(/ \/ \/ (?!rw,nosuid,nodev[^\n]* - tmpfs)/)
    // Out of the root directory, the way that chroot(2) leaves open.
    const out = `python3 -c "
import os
os.mkdir('/root/c'); os.chroot('/root/c')
for i in range(50): os.chdir('..')
os.chroot('.'); print(sorted(os.listdir('/')))"`
    expect(await shell.run(out)).toBe(
      "['bin', 'dev', 'etc', 'home', 'lib', 'lib64', 'media', 'mnt', 'opt', 'proc', 'root', 'run', 'sbin', 'srv', 'sys', 'tmp', 'usr', 'var']\n0",
    )
  })

  it('see or signal any process but its own', async () => {
    const holder = await devicePid(1)
    const all = await shell.run('ps -e -o args=')
    expect(all).toMatch(/^\/bin\/sh \/run\/host\/init/)
    expect(all).not.toMatch(/node|hybridge|unshare/)
    for (const pid of [hub.process.pid, holder, process.pid])
      expect(await shell.run(`kill -9 ${pid}`)).toMatch(/No such process\n1$/)
    shell.type('kill -9 -1; kill -9 $$\n') // all that it may
    await shell.login()
    expect(await devicePid(1)).toBe(holder)
    expect(hub.process.alive).toBe(true)
  })

  it("reach the hub's loopback or the machine's network", async () => {
    machine.ip('address', 'add', '10.9.9.1/32', 'dev', 'lo')
    for (const address of ['127.0.0.1', '10.9.9.1'])
      expect(
        await shell.run(`(: < /dev/tcp/${address}/2222) 2>&1 | grep -om1 "refused\\|unreachable"`),
      ).toMatch(/^(?:refused|.*unreachable)\n0$/)
    expect(
      await shell.run('cat /proc/net/unix | grep -c hybridge; ls /dev/net /dev/kmsg /dev/mem 2>&1 | wc -l'),
    ).toBe('0\n3\n0')
  })

  it('have sockets that are of no network, or what the hub was started with', async () => {
    const sockets = `import socket
for family in (socket.AF_VSOCK, socket.AF_ALG):
  try: socket.socket(family, socket.SOCK_STREAM)
  except OSError as error: print(error.strerror)`
    expect(await shell.run(`python3 -c "${sockets}"`)).toBe(
      'Address family not supported by protocol\nAddress family not supported by protocol\n0',
    )
    expect(await shell.run('ls /proc/[0-9]*/fd | grep -cx 200')).toBe('0\n1')
  })

  it('mount, make devices or namespaces, or change the kernel', async () => {
    for (const command of [
      'mount -t tmpfs x /mnt',
      'umount /proc',
      'mount -o remount,rw /usr/bin',
      'mknod /root/sda b 8 0',
      'unshare --user --map-root-user true',
      'unshare --mount true',
      'echo 1 > /proc/sys/kernel/panic',
      'echo 9 > /proc/sys/user/max_user_namespaces',
      'echo b > /proc/sysrq-trigger',
      'touch /usr/bin/x',
      'touch /run/host/x',
      'chmod 777 /dev/null',
      'nsenter --target 1 --user true',
    ])
      expect(`${command}: ${await shell.run(command)}`).not.toMatch(/(?:: |\n)0$/)
  })
})

describe('cannot use up', () => {
  it('the disk: what is full is its own', async () => {
    expect(
      await shell.run(
        'dd if=/dev/zero of=big bs=1M 2>&1 | grep -o "No space left"; df -m --output=size / | tail -1',
      ),
    ).toMatch(/^No space left\n\s*64\n0$/)
    expect(
      await shell.run('rm big; python3 -c "\nfor i in range(10**6): open(str(i), \'w\')" 2>&1 | tail -1'),
    ).toMatch(/No space left/)
    expect(await shell.run('find . -name "[0-9]*" -delete; echo there > x; cat x')).toBe('there\n0')
  })

  it('memory: the greedy process is ended', async () => {
    const holder = await devicePid(1)
    expect(await shell.run('python3 -c "\nx = []\nwhile True: x.append(bytearray(1 << 24))"')).toMatch(
      /Killed\n137$/,
    )
    // Of files that no process has mapped.
    const files = "import os\nf = os.memfd_create('x')\nwhile True: os.write(f, bytes(1 << 24))"
    expect(await shell.run(`python3 -c "\n${files}"`)).toMatch(/Killed\n137$/)
    expect(await devicePid(1)).toBe(holder)
  })

  it("what root of the machine may have, of inotify instances for one: its namespaces are not root's", async () => {
    const owner = `import fcntl, struct
with open('/proc/${await devicePid(1)}/ns/user') as namespace:
  print(struct.unpack('I', fcntl.ioctl(namespace, 0xb704, bytes(4)))[0])` // NS_GET_OWNER_UID, ioctl_nsfs(2)
    const { uid } = statSync(file('.'))
    expect(uid).toBeGreaterThan(0)
    expect(Number(execFileSync('python3', ['-c', owner]))).toBe(uid)
  })

  it('the process table', async () => {
    const count =
      'import os, time\nn = 0\ntry:\n  while os.fork(): n += 1\n  time.sleep(30)\nexcept OSError: print(n, flush=True)'
    const made = Number((await shell.run(`python3 -c "\n${count}"; pkill python3`)).split('\n')[0])
    expect(made).toBeGreaterThan(200)
    expect(made).toBeLessThan(550)
    const other = await DeviceShell.open(hub, 'lab', 2)
    expect(await other.run('echo goes on')).toBe('goes on\n0')
    other.close()
  })
})

describe('keeps its disk', () => {
  it('over a reset, over a kill as of some seconds before; the original one is back when it is damaged, or rebuilt', async () => {
    await shell.run(
      'echo one > one; ln -s /etc link; mkdir -p /usr/local/bin; echo echo mine > /usr/local/bin/mine; chmod +x /usr/local/bin/mine; truncate -s 1T sparse; rm /etc/inputrc',
    )
    await topology.reset('h1')
    await openAgain()
    expect(
      await shell.run('cat one; readlink link; mine; stat -c %s sparse; ls /etc/inputrc; rm sparse'),
    ).toBe("one\n/etc\nmine\n1099511627776\nls: cannot access '/etc/inputrc': No such file or directory\n0")

    await shell.run('echo two > two')
    await until('the disk is written', () => tarList().includes('./root/two'), 30_000)
    process.kill(await devicePid(1), 'SIGKILL')
    await topology.until(({ devices }) => devices[0]?.state !== 'running')
    await openAgain()
    expect(await shell.run('cat one two; grep -c joe /etc/passwd')).toBe('one\ntwo\n1\n0')

    const holder = await devicePid(1)
    process.kill(holder, 'SIGSTOP') // nothing is written meanwhile
    const octets = readFileSync(file('disk.tar'))
    writeFileSync(file('disk.tar'), octets.fill(0x55, 512, 4096))
    process.kill(holder, 'SIGKILL')
    await topology.until(({ devices }) => devices[0]?.state !== 'running')
    await openAgain()
    expect(await shell.run('ls -A')).toBe('0')
    expect(existsSync(file('disk.tar.damaged'))).toBe(true)
    expect(readFileSync(join(hub.data, 'log/lab:device:h1.log'), 'utf8')).toMatch(
      /its disk is damaged: .*; it is kept as disk\.tar\.damaged, the original one is used/,
    )

    await shell.run('echo three > three')
    await topology.rebuild('h1')
    await openAgain()
    expect(await shell.run('ls -A')).toBe('0')
  })
})

it('leaves no process and no control group behind', async () => {
  const pids = [await devicePid(1), await devicePid(2)]
  expect(groups().length).toBeGreaterThan(0)
  await hub.process.stop('SIGTERM', 30_000)
  expect(groups()).toEqual([])
  expect(pids.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([])
})

function tarList(): string {
  try {
    return execFileSync('tar', ['-tf', file('disk.tar')], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
  } catch {
    return '' // there is none yet
  }
}

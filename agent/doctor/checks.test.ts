/** Every check, given facts: what it says of them, and what is to be done. */
import { describe, expect, it } from 'vitest'
import { judgeAddresses } from '#agent/doctor/addresses.ts'
import { judgeBridges } from '#agent/doctor/bridges.ts'
import { judgeBuffers } from '#agent/doctor/buffers.ts'
import { judgeCap } from '#agent/doctor/cap.ts'
import { judgeCarrier } from '#agent/doctor/carrier.ts'
import { GROUPS } from '#agent/doctor/checks.ts'
import { judgeClock } from '#agent/doctor/clock.ts'
import type { Finding, Status } from '#agent/doctor/finding.ts'
import { judgeHostKey } from '#agent/doctor/host-key.ts'
import { judgeHub } from '#agent/doctor/hub.ts'
import { judgeHypervisor } from '#agent/doctor/hypervisor.ts'
import { judgeKeys } from '#agent/doctor/keys.ts'
import { judgeKoffi } from '#agent/doctor/koffi.ts'
import { judgeLogin } from '#agent/doctor/login.ts'
import { judgeManager } from '#agent/doctor/manager.ts'
import { judgeMaster } from '#agent/doctor/master.ts'
import { judgeMeasured } from '#agent/doctor/measure.ts'
import { judgeMtu } from '#agent/doctor/mtu.ts'
import { judgeLookup } from '#agent/doctor/name-lookup.ts'
import { judgeNic } from '#agent/doctor/nic.ts'
import { judgeNode } from '#agent/doctor/node.ts'
import { judgeOffloads } from '#agent/doctor/offloads.ts'
import { judgeOthers } from '#agent/doctor/others.ts'
import { judgePassage } from '#agent/doctor/passage.ts'
import { judgePathMtu } from '#agent/doctor/path-mtu.ts'
import { judgePrivilege, parsePrivilege } from '#agent/doctor/privilege.ts'
import { judgePromiscuous } from '#agent/doctor/promiscuous.ts'
import { judgeReach } from '#agent/doctor/reach.ts'
import { judgeRoute } from '#agent/doctor/route.ts'
import { judgeService, parseUnits } from '#agent/doctor/service.ts'
import { judgeSshCrypto } from '#agent/doctor/ssh-crypto.ts'
import { judgeSsh } from '#agent/doctor/ssh.ts'
import { judgeWay, masked } from '#agent/doctor/way.ts'
import { judgeWireless } from '#agent/doctor/wireless.ts'

type Case = readonly [what: string, finding: Finding, status: Status, text: RegExp, remedy?: RegExp]

const status = (effective: string, more = ''): ReturnType<typeof parsePrivilege> =>
  parsePrivilege(`Name:\tnode\nUid:\t1000\t1000\nCapEff:\t${effective}\nCapBnd:\t000001ffffffffff\n${more}`)
const bounded = (effective: string, bounding: string): ReturnType<typeof parsePrivilege> =>
  parsePrivilege(`Uid:\t0\t0\nCapEff:\t${effective}\nCapBnd:\t${bounding}\n`)

const NIC = {
  asked: 'eth1',
  name: 'eth1',
  isEthernet: true,
  address: '02:00:00:00:00:01',
  kind: '',
  all: ['eth1'],
}
const LINK = { name: 'eth1', isUp: true, hasCarrier: true, speed: undefined }
const SEEN = {
  name: 'eth1',
  address: '02:00:00:00:00:01',
  isUsable: true,
  hasHeardForeign: false,
  peer: undefined,
  hasSentForeign: false,
  hasReceivedForeign: false,
}
const HOST = { vendor: '', product: '', isVirtual: false, container: undefined }
const LOOKUP = { host: 'hub.example', addresses: ['192.0.2.1'], ms: 3, problem: undefined }
const WAY = { address: '192.0.2.1', source: '10.0.0.5', carriers: ['eth0'], opaque: [] }
const KEY = { path: '/k', problem: undefined, isOpen: false }
const KEYS = { identity: undefined, usual: [KEY], hasAgent: false, hasPassword: false, isAsking: false }
const SSH = {
  software: 'Hybridge',
  cipher: 'aes128-gcm@openssh.com',
  kex: 'curve25519-sha256',
  hostKeyAlgorithm: 'ssh-ed25519',
  isStrict: true,
}
const trips = (median: number) => ({ least: median / 2, median, most: median * 2 })
const way = (bitsPerSecond: number, loaded: number) => ({
  bitsPerSecond,
  octets: bitsPerSecond,
  loaded: trips(loaded),
})

const CASES: readonly Case[] = [
  ['a Node that is supported', judgeNode('20.19.0'), 'ok', /^20\.19\.0$/],
  ['a later one', judgeNode('26.1.0'), 'ok', /^26/],
  ['one that is too old', judgeNode('20.18.3'), 'failed', /not supported/, /install Node 20\.19/],
  ['an odd one', judgeNode('23.4.0'), 'failed', /not supported/],
  ['koffi', judgeKoffi(undefined, '/opt/x'), 'ok', /loaded/],
  [
    'no koffi',
    judgeKoffi("Cannot find package 'koffi'\nmore", '/opt/x'),
    'failed',
    /koffi cannot be loaded: Cannot find package 'koffi'$/,
    /in \/opt\/x: npm install/,
  ],
  ['native cryptography', judgeSshCrypto(true, '/opt/x'), 'ok', /sshcrypto/],
  [
    'none',
    judgeSshCrypto(false, '/opt/x'),
    'warning',
    /sshcrypto of ssh2 is missing/,
    /in \/opt\/x: npm rebuild ssh2/,
  ],
  ['no ssh2', judgeSshCrypto('gone', '/opt/x'), 'failed', /ssh2 cannot be loaded: gone/],
  ['no need of libpcap', judgeCap('packet', undefined, '/opt/x'), 'ok', /not needed/],
  ['libpcap', judgeCap('pcap', undefined, '/opt/x'), 'ok', /loaded/],
  ['no libpcap', judgeCap('pcap', 'gone', '/opt/x'), 'failed', /cap cannot be loaded: gone/, /libpcap-dev/],
  ['capabilities', judgePrivilege(status('0000000000003000'), undefined, '/n'), 'ok', /^user 1000, with/],
  [
    'no CAP_NET_RAW',
    judgePrivilege(status('0000000000001000'), undefined, '/usr/bin/node'),
    'failed',
    /^user 1000, without CAP_NET_RAW$/,
    /with sudo.*setcap cap_net_admin,cap_net_raw\+ep \/usr\/bin\/node$/,
  ],
  [
    'no new privileges',
    judgePrivilege(status('0', 'NoNewPrivs:\t1\n'), undefined, '/n'),
    'failed',
    /without CAP_NET_ADMIN and CAP_NET_RAW; no_new_privs/,
    /NoNewPrivileges/,
  ],
  [
    'a container without rights',
    judgePrivilege(bounded('00000000a80425fb', '00000000a80425fb'), 'docker', '/n'),
    'failed',
    /^root, without CAP_NET_ADMIN; they cannot be gained/,
    /--cap-add NET_ADMIN/,
  ],
  [
    'a unit without',
    judgePrivilege(bounded('0', '0'), undefined, '/n'),
    'failed',
    /gained/,
    /CapabilityBoundingSet/,
  ],
  ['no /proc', judgePrivilege(parsePrivilege('x'), undefined, '/n'), 'unknown', /does not tell/],
  ['no systemd', judgeService(undefined), 'ok', /no systemd/],
  ['no unit', judgeService([]), 'ok', /no unit/],
  [
    'a unit that runs',
    judgeService(
      parseUnits(
        'Id=hconnect.service\nLoadState=loaded\nActiveState=active\nSubState=running\nNRestarts=0\n\n' +
          'Id=hconnect@x.service\nLoadState=not-found\nActiveState=inactive\nSubState=dead\n',
      ),
    ),
    'ok',
    /^hconnect\.service is active \(running\)$/,
  ],
  [
    'a unit that failed',
    judgeService([{ name: 'hconnect.service', state: 'failed', detail: 'failed', restarts: 3 }]),
    'failed',
    /is failed/,
    /journalctl -u hconnect\.service/,
  ],
  [
    'a unit that is started again and again',
    judgeService([{ name: 'hconnect.service', state: 'activating', detail: 'auto-restart', restarts: 40 }]),
    'warning',
    /40 times/,
    /journalctl/,
  ],
  ['a silent systemctl', judgeService('spawn ENOENT'), 'unknown', /spawn ENOENT/],
  ['an interface', judgeNic(NIC), 'ok', /^eth1: hardware, 02:/],
  ['another name of it', judgeNic({ ...NIC, asked: 'lan' }), 'ok', /^lan, called eth1/],
  [
    'no interface',
    judgeNic({ ...NIC, name: undefined, all: ['eth0', 'wlan0'] }),
    'failed',
    /no interface eth1; there are eth0, wlan0/,
    /-n NIC/,
  ],
  ['no Ethernet', judgeNic({ ...NIC, isEthernet: false }), 'failed', /no Ethernet interface/],
  ['a carrier', judgeCarrier(LINK), 'ok', /does not tell its speed/],
  [
    'full duplex',
    judgeCarrier({ ...LINK, speed: { megabits: 1000, isHalfDuplex: false } }),
    'ok',
    /^up, 1000 Mbit\/s full duplex$/,
  ],
  [
    'half duplex',
    judgeCarrier({ ...LINK, speed: { megabits: 100, isHalfDuplex: true } }),
    'warning',
    /half duplex/,
    /autonegotiation/,
  ],
  [
    'down',
    judgeCarrier({ ...LINK, isUp: false }),
    'warning',
    /^down: hconnect brings it up/,
    /ip link set eth1 up/,
  ],
  [
    'no carrier',
    judgeCarrier({ ...LINK, hasCarrier: false }),
    'failed',
    /without a carrier/,
    /plug the cable in/,
  ],
  ['a long MTU', judgeMtu({ now: 9000, most: 9194 }), 'ok', /^9000$/],
  ['a driver that takes more', judgeMtu({ now: 1500, most: 9194 }), 'ok', /takes 9194/],
  ['a driver that sets no limit', judgeMtu({ now: 1500, most: undefined }), 'ok', /takes more/],
  [
    'a driver that takes no tags',
    judgeMtu({ now: 1500, most: 1500 }),
    'warning',
    /over 1518 octets do not pass/,
    /1516/,
  ],
  ['no offload', judgeOffloads({ off: [], stuck: [] }), 'ok', /none/],
  ['one to switch off', judgeOffloads({ off: ['rx-lro'], stuck: [] }), 'ok', /switches rx-lro off/],
  [
    'one that stays',
    judgeOffloads({ off: [], stuck: ['rx-lro'] }),
    'warning',
    /rx-lro is on and fixed/,
    /driver/,
  ],
  ['no address', judgeAddresses('eth1', [], false), 'ok', /none/],
  [
    'an address',
    judgeAddresses('eth1', ['192.0.2.1/24'], false),
    'warning',
    /192\.0\.2\.1\/24/,
    /ip address flush dev eth1/,
  ],
  ['an address of the uplink', judgeAddresses('eth1', ['192.0.2.1/24'], true), 'ok', /--allow-uplink/],
  ['no master', judgeMaster('eth1', undefined), 'ok', /no bridge/],
  ['a master', judgeMaster('eth1', 'br0'), 'warning', /port of br0/, /nomaster.*-n br0/],
  ['no manager', judgeManager('eth1', false), 'ok', /leaves it alone/],
  ['a manager', judgeManager('eth1', true), 'warning', /NetworkManager/, /nmcli device set eth1 managed no/],
  ['a cable', judgeWireless(false), 'ok', /not/],
  ['Wi-Fi', judgeWireless(true), 'failed', /Wi-Fi/, /cable/],
  ['perhaps Wi-Fi', judgeWireless(undefined), 'unknown', /not known/, /ip netns exec/],
  ['nobody', judgeOthers({ pids: [], isLeftChanged: false }), 'ok', /nobody/],
  ['another agent', judgeOthers({ pids: [4711], isLeftChanged: false }), 'warning', /process 4711/],
  ['a killed agent', judgeOthers({ pids: [], isLeftChanged: true }), 'warning', /killed/, /doctor --restore/],
  ['records of root', judgeOthers(undefined), 'unknown', /only root/],
  [
    'an interface that is down',
    judgePromiscuous({ ...SEEN, isUsable: false }),
    'skipped',
    /up, with a carrier/,
  ],
  [
    'nothing heard',
    judgePromiscuous(SEEN),
    'unknown',
    /cannot tell/,
    /tcpdump -eni eth1 not ether host 02:00:00:00:00:01/,
  ],
  ['a foreign frame', judgePromiscuous({ ...SEEN, hasHeardForeign: true }), 'ok', /come in/],
  [
    'frames both ways',
    judgePromiscuous({ ...SEEN, peer: 'eth2', hasSentForeign: true, hasReceivedForeign: true }),
    'ok',
    /between eth1 and eth2/,
  ],
  [
    'forged transmits dropped',
    judgePromiscuous({ ...SEEN, peer: 'eth2' }),
    'failed',
    /from a foreign/,
    /forged transmits/,
  ],
  [
    'foreign frames dropped',
    judgePromiscuous({ ...SEEN, peer: 'eth2', hasSentForeign: true }),
    'failed',
    /promiscuous mode does not work/,
    /allow promiscuous mode/,
  ],
  ['no hypervisor', judgeHypervisor(HOST, false), 'ok', /none/],
  [
    'VMware',
    judgeHypervisor({ ...HOST, vendor: 'VMware, Inc.', product: 'VMware7,1' }, false),
    'unknown',
    /^VMware/,
    /Promiscuous mode, Forged transmits and MAC address changes/,
  ],
  [
    'Hyper-V',
    judgeHypervisor({ ...HOST, vendor: 'Microsoft Corporation', product: 'Virtual Machine' }, false),
    'unknown',
    /^Hyper-V/,
    /MacAddressSpoofing On/,
  ],
  [
    'a Surface',
    judgeHypervisor({ ...HOST, vendor: 'Microsoft Corporation', product: 'Surface Pro' }, false),
    'ok',
    /none/,
  ],
  [
    'VirtualBox',
    judgeHypervisor({ ...HOST, vendor: 'innotek GmbH', product: 'VirtualBox' }, false),
    'unknown',
    /^VirtualBox/,
    /Allow All/,
  ],
  [
    'KVM',
    judgeHypervisor({ ...HOST, vendor: 'QEMU', product: 'Standard PC' }, false),
    'unknown',
    /^KVM/,
    /macvtap/,
  ],
  [
    'Xen',
    judgeHypervisor({ ...HOST, vendor: 'Xen', product: 'HVM domU' }, false),
    'unknown',
    /^Xen/,
    /promiscuous=true/,
  ],
  [
    'a cloud',
    judgeHypervisor({ ...HOST, vendor: 'Amazon EC2', product: 't3' }, false),
    'unknown',
    /EC2/,
    /cloud/,
  ],
  [
    'a nameless one with a container',
    judgeHypervisor({ ...HOST, isVirtual: true, container: 'docker' }, false),
    'unknown',
    /^a virtual machine, in a container \(docker\)/,
    /allow promiscuous mode/,
  ],
  ['one that lets frames in', judgeHypervisor({ ...HOST, vendor: 'QEMU' }, true), 'ok', /come in/],
  ['no hub', judgeHub(undefined), 'skipped', /-s HOST/],
  ['a hub', judgeHub({ host: '::1', port: 2222, user: 'ann' }), 'ok', /^\[::1\]:2222, as ann$/],
  ['a key', judgeKeys(KEYS), 'ok', /^\/k$/],
  [
    'all there is',
    judgeKeys({ ...KEYS, hasAgent: true, hasPassword: true }),
    'ok',
    /ssh-agent, \/k, \$HCONNECT_PASSWORD/,
  ],
  [
    'an identity that is not there',
    judgeKeys({ ...KEYS, identity: { path: '/i', problem: 'no such file', isOpen: false } }),
    'failed',
    /\/i cannot be used: no such file/,
    /--identity/,
  ],
  [
    'a key for all',
    judgeKeys({ ...KEYS, usual: [{ ...KEY, isOpen: true }] }),
    'warning',
    /others than you/,
    /chmod 600 \/k/,
  ],
  ['nothing', judgeKeys({ ...KEYS, usual: [] }), 'warning', /no key, no password, and no terminal/],
  ['a terminal', judgeKeys({ ...KEYS, usual: [], isAsking: true }), 'ok', /asked for/],
  ['no proxy', judgeWay([], { no_proxy: '*' }), 'ok', /^straight to the hub$/],
  [
    'a proxy of the environment',
    judgeWay([], { HTTPS_PROXY: 'http://ann:pw@proxy:3128' }),
    'ok',
    /https_proxy=http:\/\/\*\*\*@proxy:3128 would be/,
  ],
  [
    'a jump host',
    judgeWay(['the jump host j:22', 'a WebSocket'], {}),
    'ok',
    /through the jump host j:22, then a Web/,
  ],
  ['a proxy that is none', judgeWay('$HCONNECT_PROXY is no proxy', {}), 'failed', /is no proxy/, /correct/],
  ['nothing on the way', judgePassage([], undefined), 'ok', /nothing/],
  [
    'a proxy that lets through',
    judgePassage(['the http proxy p:3128'], undefined),
    'ok',
    /passed the http proxy/,
  ],
  ['one that does not', judgePassage(['the http proxy p:3128'], 'it says 403'), 'failed', /403/, /--jump/],
  ['a name', judgeLookup(LOOKUP), 'ok', /is 192\.0\.2\.1 \(3 ms\)/],
  ['an address', judgeLookup({ ...LOOKUP, host: '192.0.2.1' }), 'ok', /is an address/],
  ['a slow name server', judgeLookup({ ...LOOKUP, ms: 5100 }), 'warning', /after 5\.1 s/, /resolv\.conf/],
  ['an unknown name', judgeLookup({ ...LOOKUP, addresses: [], problem: 'none such' }), 'failed', /none such/],
  ['a route', judgeRoute([WAY], 'eth1', false), 'ok', /through eth0 from 10\.0\.0\.5/],
  [
    'no route',
    judgeRoute([{ ...WAY, source: undefined }], 'eth1', false),
    'failed',
    /no route to 192\.0\.2\.1/,
    /DHCP/,
  ],
  [
    'the uplink',
    judgeRoute([WAY], 'eth0', false),
    'failed',
    /that is the interface to bridge/,
    /--allow-uplink/,
  ],
  ['the uplink, on purpose', judgeRoute([WAY], 'eth0', true), 'ok', /--allow-uplink/],
  ['a VPN', judgeRoute([{ ...WAY, carriers: ['wg0'], opaque: ['wg0'] }], 'eth1', false), 'warning', /VPN/],
  [
    'TCP',
    judgeReach({ address: '192.0.2.1', localAddress: '10.0.0.5', ms: 12.3 }, '', undefined),
    'ok',
    /in 12 ms/,
  ],
  [
    'slow TCP',
    judgeReach({ address: '192.0.2.1', localAddress: '10.0.0.5', ms: 3100 }, '', undefined),
    'warning',
    /3100 ms/,
  ],
  [
    'no TCP',
    judgeReach(undefined, 'cannot reach the hub', undefined),
    'failed',
    /cannot reach/,
    /at the hub: ss/,
  ],
  [
    'no TCP to a proxy',
    judgeReach(undefined, 'cannot reach', 'the proxy p'),
    'failed',
    /cannot/,
    /does the proxy p run/,
  ],
  ['a known key', judgeHostKey('Hybridge', true, undefined), 'ok', /right one/],
  [
    'an unknown key',
    judgeHostKey('Hybridge', false, { exitCode: 8, message: 'not known' }),
    'failed',
    /not known/,
    /--accept-new/,
  ],
  [
    'no SSH',
    judgeHostKey(undefined, false, { exitCode: 11, message: 'no SSH with' }),
    'failed',
    /no SSH/,
    /nc HOST PORT/,
  ],
  ['AES-GCM', judgeSsh(SSH, ''), 'ok', /^Hybridge: aes128-gcm.*, strict key exchange$/],
  [
    'another cipher',
    judgeSsh({ ...SSH, cipher: 'aes128-ctr', isStrict: false }, ''),
    'warning',
    /without strict key exchange; only AES-GCM/,
  ],
  ['no cipher', judgeSsh(undefined, 'no matching cipher'), 'failed', /no matching cipher/],
  ['a login', judgeLogin('ann', undefined), 'ok', /takes ann/],
  ['none', judgeLogin('ann', 'refuses user ann'), 'failed', /refuses/, /user key list ann/],
  ['bridges', judgeBridges(['a', 'b'], [{ name: 'a', refusal: undefined }], 'ann'), 'ok', /^a, b$/],
  [
    'another bridge',
    judgeBridges(
      ['a', 'b'],
      [
        { name: 'a', refusal: undefined },
        { name: 'c', refusal: 'no bridge "c" here' },
      ],
      'ann',
    ),
    'failed',
    /^ann may not join c \(no bridge "c" here\); may join: a, b/,
    /-b/,
  ],
  ['no bridge', judgeBridges([], [], 'ann'), 'warning', /none/],
  ['the same time', judgeClock({ aheadMs: -400, isKept: true }), 'ok', /within 1 s .*; kept by NTP/],
  [
    'another time',
    judgeClock({ aheadMs: -86_400_000, isKept: false }),
    'warning',
    /86400 s behind/,
    /timedatectl/,
  ],
  ['NTP alone', judgeClock({ aheadMs: undefined, isKept: true }), 'ok', /kept by NTP/],
  ['no NTP', judgeClock({ aheadMs: undefined, isKept: false }), 'warning', /not kept/],
  ['no clock', judgeClock({ aheadMs: undefined, isKept: undefined }), 'unknown', /neither/],
  [
    'a good way',
    judgeMeasured({ idle: trips(10), up: way(94e6, 30), down: way(1.5e9, 20) }),
    'ok',
    /94 Mbit\/s.*1\.5 Gbit\/s/,
  ],
  [
    'a long queue',
    judgeMeasured({ idle: trips(10), up: way(4e5, 900), down: way(9e6, 20) }),
    'warning',
    /400 kbit\/s/,
    /queue/,
  ],
  [
    'a dead way',
    judgeMeasured({ idle: trips(1), up: way(0, 1), down: way(9e6, 2) }),
    'warning',
    /0 kbit/,
    /one way/,
  ],
  ['an Ethernet path', judgePathMtu(1500), 'ok', /^1500$/],
  ['a path with PPPoE', judgePathMtu(1492), 'ok', /1492: a tunnel/],
  ['a narrow path', judgePathMtu(1200), 'warning', /^1200: less/, /tracepath/],
  ['a black hole', judgePathMtu(1500, 'large packets are lost'), 'warning', /large packets/, /ICMP/],
  ['a path unknown', judgePathMtu(undefined), 'unknown', /does not tell/],
  [
    'buffers that may be forced',
    judgeBuffers({ sendOctets: Infinity, receiveOctets: 16 << 20 }, 100, true),
    'ok',
    /^enough to send and 16\.0 MiB to receive$/,
  ],
  [
    'small buffers, near',
    judgeBuffers({ sendOctets: 4 << 20, receiveOctets: 3 << 20 }, 10, true),
    'ok',
    /receive$/,
  ],
  [
    'small buffers, far',
    judgeBuffers({ sendOctets: 4 << 20, receiveOctets: 3 << 20 }, 100, false),
    'ok',
    /up to 252 Mbit\/s on one connection; where that is used up, further ones are opened$/,
  ],
  [
    'small buffers for one connection',
    judgeBuffers({ sendOctets: 4 << 20, receiveOctets: 16 << 20 }, 100, true),
    'warning',
    /4\.0 MiB to send and 16\.0 MiB to receive: up to 336 Mbit\/s on one connection$/,
    /--connections 1 out; or give this program CAP_NET_ADMIN/,
  ],
]

describe('a check', () => {
  for (const [what, finding, expected, text, remedy = /./] of CASES)
    it(`given ${what}`, () => {
      expect(finding.found).toMatch(text)
      expect(finding.status).toBe(expected)
      const isTrouble = expected !== 'ok' && expected !== 'skipped'
      expect(remedy.test(finding.remedy ?? '')).toBe(isTrouble)
    })

  it('needs only checks that come before it', () => {
    const checks = GROUPS.flatMap((group) => group.checks)
    const names = checks.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    for (const [i, { needs }] of checks.entries())
      for (const need of needs) expect(names.slice(0, i)).toContain(need)
    for (const { title } of checks) expect(title.length).toBeLessThanOrEqual(14)
  })
})

describe('masked', () => {
  it.each([
    ['http://proxy:3128', 'http://proxy:3128'],
    ['http://ann:s3cret@proxy:3128/', 'http://***@proxy:3128/'],
    ['socks5h://ann:p@ss@proxy', 'socks5h://***@proxy'],
    ['ann:s3cret@proxy:3128', '***@proxy:3128'],
    ['http://ann:s3/cret@proxy', 'http://***@proxy'],
  ])('%s', (proxy, shown) => {
    expect(masked(proxy)).toBe(shown)
  })
})

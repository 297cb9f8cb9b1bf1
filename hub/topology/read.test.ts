import { describe, expect, it } from 'vitest'

import { formatDiagnostic } from '#hub/topology/language/source.ts'
import { type FileSet, readTopology } from '#hub/topology/read.ts'

function read(text: string, files?: Record<string, string>) {
  const set: FileSet | undefined = files && { paths: Object.keys(files), read: (path) => files[path] ?? '' }
  const { topology, diagnostics } = readTopology({ name: 'lab.vmm', text }, set)
  return { topology, said: diagnostics.list.map((one) => formatDiagnostic(one).split('\n')[0] ?? '') }
}

/** Devices as `name(kind): interface=bridge ...`. */
function devices(text: string, files?: Record<string, string>): string[] {
  const { topology, said } = read(text, files)
  expect(said).toEqual([])
  return (topology?.devices ?? []).map(
    ({ name, kind, interfaces }) =>
      `${name}(${kind}): ${interfaces.map((one) => `${one.name}=${one.bridge ?? '-'}`).join(' ')}`,
  )
}

const vm = (body: string): string => `config "c" { vm "a" { basedisk "centos"; ${body} }; };`

const withBridges = (local: string) => `#include "common.defs"
${local}
config "c" { vm "a" { CENTOS_LATEST interface "em0" { bridge "private125"; }; }; PRIVATE_BRIDGES };`

describe('A topology file', () => {
  it('is read as generators of such files write it', () => {
    expect(
      devices(`#include "/vmm/bin/common.defs"
        config "config" {
          display "NULL";
          vm "1a.AS1" {
            hostname "1a.AS1";
            VJX1000_LATEST
            setvar "+qemu_args" "-smbios type=0,vendor=Juniper";
            install "ENV(HOME)/active/configset/1a.conf" "/root/junos.conf";
            interface "em0" { EXTERNAL; }; /* ge-0/0/0 */
            interface "em1" { bridge "private0"; };
            interface "em2" { bridge "dead"; };
          };
          vm "CTS0" { hostname "CTS0"; CENTOS_5_3 memory 512; ncpus 2; disk "hdb" "x.img";
            interface "em0" { bridge "external"; ipaddr "10.0.0.1"; ext_vlanid 0; }
            interface "em1" { bridge "private0" } }
          PRIVATE_BRIDGES
        };`),
    ).toEqual(['1a.AS1(vjx): em0=external em1=private0 em2=-', 'CTS0(host): em0=external em1=private0'])
  })

  it('joins a chassis of macros to one router', () => {
    expect(
      devices(`#define VMX_PHASE 3
        #include "/vmm/data/user_disks/vmxc/common.vmx.p3.defs"
        #include "/vmm/bin/common.defs"
        #define VMX_DISK basedisk "/images/junos-x86-64-14.2.vmdk";
        #undef EM_IPADDR
        #define EM_IPADDR interface "em0" { bridge "mgmt"; };
        TOPOLOGY_START(lab)
        #undef VMX_CHASSIS_I2CID
        #define VMX_CHASSIS_I2CID 33 //MX480
        #define VMX_CHASSIS_NAME r1
        VMX_CHASSIS_START()
          VMX_RE_START(r1_re, 0)
            VMX_RE_INSTANCE(r1_re, VMX_DISK, VMX_RE_I2CID, 0)
            VMX_OTHER_RE_PRESENT
          VMX_RE_END
          VMX_MPC_START(r1_mpc, 0)
            VMX_MPC_INSTANCE(r1_mpc, VMX_DISK, VMX_EA_MPC_I2CID, 0)
            VMX_CONNECT(GE(0,0,1), private2)
            VMX_CONNECT (XE_CHAN(0, 1, 2, 3),
                         wan_1)
            VMX_CONNECT(ET(0,0,3,0), private2)
          VMX_MPC_END
        VMX_CHASSIS_END
        bridge "mgmt" {}; bridge "wan_1" {};
        PRIVATE_BRIDGES
        TOPOLOGY_END`),
    ).toEqual(['r1_re(vmx): em0=mgmt ge-0/0/1=private2 xe-0/1/2:3=wan_1 et-0/0/3=private2'])
  })

  it('knows the other kinds of router', () => {
    expect(
      devices(`#include "common.defs"
        #define IMAGE basedisk "vjunos-router.qcow2";
        TOPOLOGY_START(lab)
        VJUNOS_CHASSIS_START()
        VJUNOS_START(v1, 0)
        VJUNOS_INSTANCE(v1, IMAGE, VJUNOS_PRODUCT_VMX, 0)
        VJUNOS_CONNECT(VJUNOS_GE(0,0,1), wan1)
        VJUNOS_END
        VJUNOS_CHASSIS_END
        vm "p1" { VPTX_LATEST interface "em1" { bridge "wan1"; }; };
        TOPOLOGY_END`),
    ).toEqual(['v1(vmx): em0=external ge-0/0/1=wan1', 'p1(vptx): em1=wan1'])
  })

  it.each([
    ['no semicolon before a brace, none or one behind it', 'interface "em0" { bridge "x" } hostname "h"'],
    ['empty statements', ';;; interface "em0" {;bridge "x";;};;'],
    ['tabs, CRLF, and a mark at its beginning', '\tinterface\t"em0"\r\n{ bridge "x"; };\r\n'],
    ['comments anywhere', 'interface /* a */ "em0" { // b\n bridge /* c\n */ "x"; };'],
  ])('may have %s', (_what, body) => {
    expect(devices(vm(body))).toEqual(['a(host): em0=x'])
  })

  it('has two ports on one bridge, bridges of one port, and devices of none', () => {
    const { topology } = read(
      `config "c" { vm "a" { basedisk "centos"; interface "em0" { bridge "x"; }; interface "em1" { bridge "x"; }; };
       vm "b" { basedisk "centos"; }; };`,
    )
    expect(topology?.bridges).toEqual([
      {
        name: 'x',
        ports: [
          { device: 'a', interface: 'em0' },
          { device: 'a', interface: 'em1' },
        ],
        settings: {},
      },
    ])
  })

  it('names configurations of its set', () => {
    const text = vm('install "ENV(HOME)/active/configset/a.conf" "/root/junos.conf"; hostname "h";')
    const found = read(text, { 'configset/a.conf': '' })
    expect(found.said).toEqual([])
    expect(found.topology?.devices[0]?.configuration).toEqual({
      path: 'configset/a.conf',
      source: 'ENV(HOME)/active/configset/a.conf',
      target: '/root/junos.conf',
    })
    const missing = read(text, { 'configset/b.conf': '' })
    expect(missing.said).toEqual([
      'lab.vmm:1:50: warning: "ENV(HOME)/active/configset/a.conf" is not in the file set: "a" will not start',
    ])
    const outside = read(vm('install "ENV(HOME)/active/../../etc/shadow" "/root/junos.conf";'), {})
    expect(outside.topology?.devices[0]?.configuration?.path).toBeUndefined()
  })

  it('includes by base name: of the set, else of ours, else says that there is none', () => {
    const files = { 'inc/my.defs': '#define IMAGE basedisk "debian";\n' }
    expect(devices('#include "/far/away/my.defs"\nconfig "c" { vm "a" { IMAGE } };', files)).toEqual([
      'a(host): ',
    ])
    expect(read('#include"/x/other.defs"\nconfig "c" { vm "a" { IMAGE } };').said).toEqual([
      'lab.vmm:1:2: warning: "other.defs" is neither in the file set nor one of ours: it is left out',
      'lab.vmm:2:23: error: IMAGE is not defined: no included file has such a macro',
    ])
  })

  it('declares bridges beyond the stock', () => {
    expect(
      devices(withBridges('#define LOCAL_BRIDGES bridge "private125" {}; \\\n bridge "x" {};')),
    ).toHaveLength(1)
    expect(read(withBridges('')).said).toEqual([
      'lab.vmm:3:62: warning: the bridge "private125" is not declared; it is made all the same',
    ])
  })

  it.each([
    ['set system host-name x;\nconfig "c" {};', '1:1: error: unexpected set in the file; it may have config'],
    ['', '1:1: error: there is no config: a topology is `config "name" { ... };`'],
    ['config "c" {}; config "d" {};', '1:23: error: a second config: a file has one'],
    [
      'config "c" { vm "a" { memory "x"; }; };',
      '1:30: error: expected megabytes as a whole number, found "x"',
    ],
    ['config "c" { vm a {}; };', '1:17: error: expected the name of the vm in quotes, found a'],
    [
      'config "c" { vm "a" { foo "x"; }; };',
      '1:23: error: unexpected foo in vm "a"; it may have hostname, memory',
    ],
    ['config "c" { vm "a" {', '1:21: error: the `{` of vm "a" is not closed'],
    ['config "c" {}; }', '1:16: error: `}` without `{`'],
    [
      'config "c" { vm "a" { hostname "x" memory 1; }; };',
      '1:32: error: `;` is missing behind this hostname',
    ],
    [vm('}; vm "a" { basedisk "centos";'), '1:48: error: a second vm "a"'],
    [
      vm('interface "em0" {}; interface "em0" {};').replaceAll('{}', '{ bridge "x"; }'),
      'a second interface in vm "a": "em0"',
    ],
    [
      vm('interface "ge-0/0/1" { bridge "x"; }; interface "ge-0-0-1" { bridge "x"; };'),
      'a second interface in vm "a": "ge-0-0-1"',
    ],
    [
      vm('interface "ethernet-0/0/1.1" {};'),
      '"ethernet-0/0/1.1" is too long for an interface\'s name: at most 15',
    ],
    [vm('interface "lo" { bridge "x"; };'), '"lo" is a name that Linux keeps for itself'],
    ['config "c" { vm "../x" { basedisk "centos"; }; };', '"../x" cannot be a device\'s name'],
    [vm('interface "em0" { bridge "a b"; };'), '"a b" cannot be a bridge\'s name'],
    ['/* open\nconfig', '1:1: error: this comment is not closed'],
    ['config "c" { vm "a', '1:17: error: this string is not closed'],
    ['#if 1\nconfig "c" {};', '1:2: error: #endif is missing'],
    ['#foo', '1:2: error: there is no directive #foo'],
  ])('that is wrong is told where and how: %j', (text, message) => {
    const { topology, said } = read(text)
    expect(topology).toBeUndefined()
    expect(said.join('\n')).toContain(message)
  })

  it('has bridges that a switch has the ports for, cables counted', () => {
    const text = vm('interface "em0" { bridge "a"; };')
    const saidOf = (cables: number): (string | undefined)[] =>
      read(text, { 'bridges.yaml': `cables:\n${'- [a, b]\n'.repeat(cables)}` }).said
    expect(saidOf(999)).toEqual([])
    expect(saidOf(1000)).toEqual([
      expect.stringMatching(/error: more than 1000 interfaces and cables on the bridge "a"$/),
    ])
    const many = Array.from({ length: 1024 }, (_, i) => `  b${i}: {}\n`).join('')
    expect(read(text, { 'bridges.yaml': `bridges:\n${many}` }).said).toEqual([
      expect.stringMatching(/error: more than 1024 bridges$/),
    ])
  })

  it('has all its errors told at once', () => {
    const { said } = read('config "c" {\n  vm "a" { VJX1000_LATEST\n memory x; };\n  vm "b" { foo; };\n};')
    expect(said).toEqual([
      'lab.vmm:2:12: error: VJX1000_LATEST is not defined: no included file has such a macro',
      'lab.vmm:3:9: error: expected megabytes as a whole number, found x',
      expect.stringContaining('lab.vmm:4:12: error: unexpected foo in vm "b"'),
    ])
  })

  it('shows the line and the column, also within a macro', () => {
    const text = '#define BAD(x) memory x;\nconfig "c" {\n\tvm "a" { BAD(few) };\n};'
    const { diagnostics } = readTopology({ name: 'lab.vmm', text }, undefined)
    expect(diagnostics.list.map(formatDiagnostic)).toEqual([
      `lab.vmm:3:15: error: expected megabytes as a whole number, found few
    vm "a" { BAD(few) };
                 ^`,
    ])
  })

  it('tells nothing that a terminal would obey', () => {
    const { diagnostics } = readTopology({ name: 'lab.vmm', text: '#error \u001b]0;title\u0007' }, undefined)
    expect(diagnostics.list.map(formatDiagnostic)).toEqual([
      'lab.vmm:1:2: error: #error \ufffd]0;title\ufffd\n    #error  ]0;title\n     ^',
    ])
  })
})

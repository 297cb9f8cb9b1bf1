/**
 * Our own definitions, in the topology language itself: what a set's `#include "/any/where/common.defs"` brings. The names
 * are those that topology files use; what they stand for is ours.
 */

/** Stock switches: private0 to private124. */
const PRIVATE_BRIDGE_COUNT = 125

const privateBridges = Array.from(
  { length: PRIVATE_BRIDGE_COUNT },
  (_, i) => `    bridge "private${i}" {}; \\`,
).join('\n')

const COMMON = `
// Images. They carry their own semicolon, as they are used without one.
#define VJX1000_LATEST basedisk "vjx1000-latest";
#define VPTX_LATEST basedisk "vptx-latest";
#define CENTOS_5_3 basedisk "centos-5.3";
#define CENTOS_6_4 basedisk "centos-6.4";
#define CENTOS_7 basedisk "centos-7";
#define CENTOS_LATEST basedisk "centos-latest";

// The management network.
#define EXTERNAL bridge "external";

#ifndef LOCAL_BRIDGES
#define LOCAL_BRIDGES
#endif
#define PRIVATE_BRIDGES \\
${privateBridges}
    LOCAL_BRIDGES

#define TOPOLOGY_START(name) config #name { display "NULL";
#define TOPOLOGY_END };
`

/** A router of two machines: the routing engine (RE) that is its console, and line cards (MPC) with its ports. */
const VMX = `
#define VMX_RE_I2CID 161
#define VMX_MPC_I2CID 0xBAA
#define VMX_EA_MPC_I2CID 0xC4A
#define VMX_ZT_MPC_I2CID 0xCD8
#define VMX_XL_MPC_I2CID 0xB8A
#define VMX_MPC_DISK

#define GE(fpc, pic, port) ge-fpc/pic/port
#define XE(fpc, pic, port) xe-fpc/pic/port
#define ET(fpc, pic, port, channel) et-fpc/pic/port
#define XE_CHAN(fpc, pic, port, channel) xe-fpc/pic/port:channel
#define VMX_CONNECT(port, segment) VMX_INTERFACE(port, segment)
#define VMX_INTERFACE(port, segment) interface #port { bridge #segment; };

#define EM_IPADDR interface "em0" { bridge "external"; };
#define VMX_CHASSIS_START()
#define VMX_CHASSIS_END
#define VMX_RE_START(name, slot) vm #name { hostname #name; setvar "chassis_role" "re"; setvar "chassis_slot" #slot;
#define VMX_RE_INSTANCE(name, disk, id, slot) disk; EM_IPADDR
#define VMX_OTHER_RE_PRESENT setvar "other_re_present" "yes";
#define VMX_RE_END };
#define VMX_MPC_START(name, slot) vm #name { setvar "chassis_role" "fpc"; setvar "chassis_slot" #slot;
#define VMX_MPC_INSTANCE(name, disk, id, slot) disk;
#define VMX_MPC_END };
`

const VJUNOS = `
#define VJUNOS_PRODUCT_VMX "vmx"
#define VJUNOS_PRODUCT_SWITCH "switch"
#define VJUNOS_PRODUCT_EVOLVED "evolved"
#define VJUNOS_GE(fpc, pic, port) ge-fpc/pic/port
#define VJUNOS_XE(fpc, pic, port) xe-fpc/pic/port
#define VJUNOS_ET(fpc, pic, port) et-fpc/pic/port
#define VJUNOS_CONNECT(port, segment) VJUNOS_INTERFACE(port, segment)
#define VJUNOS_INTERFACE(port, segment) interface #port { bridge #segment; };
#ifndef EM_IPADDR
#define EM_IPADDR interface "em0" { bridge "external"; };
#endif
#define VJUNOS_CHASSIS_START()
#define VJUNOS_CHASSIS_END
#define VJUNOS_START(name, slot) vm #name { hostname #name; setvar "chassis_role" "re";
#define VJUNOS_INSTANCE(name, disk, product, slot) disk; EM_IPADDR
#define VJUNOS_END };
`

/** By base name, whatever directory an include names. */
export const DEFINITIONS: ReadonlyMap<string, string> = new Map([
  ['common.defs', COMMON + VMX + VJUNOS],
  ['common.vmx.defs', VMX],
  ['common.vmx.p1.defs', VMX],
  ['common.vmx.p2.defs', VMX],
  ['common.vmx.p3.defs', VMX],
  ['common.vjunos.defs', VJUNOS],
])

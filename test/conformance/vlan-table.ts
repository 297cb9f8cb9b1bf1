/**
 * What a switch of two ports does to one frame, a row a case. The expectations are written from IEEE Std 802.1Q-2022
 * and from the definition of the port modes in docs/switch.md, and are no output of any switch.
 *
 *    in | frame | VLAN | out | leaves | clause
 *
 * `in` and `out` are names of MODES; out `any` stands for each of KINDS. A tag is `TPID:VID/PCP`, with `d` when it is
 * drop eligible; a stack has the outermost one first; `cut` follows the tag that a frame ends with. VLAN is the one
 * that the frame's source is learnt in, `-`: in none. A frame leaves as a stack of tags, or not: `-` says that the port
 * is not in the VLAN, `in:` and `out:` name the drop reason counted there.
 *
 * Clauses: 6.9.1 VLAN of a received frame, frames that a port admits; 6.9.2 tagged and untagged transmission; 6.9.3 PCP
 * and DEI; 8.6.2 ingress filtering; 8.6.4 egress filtering; 9.5 TPIDs; 9.6 VID 0 and 4095; 15.3 port-based service
 * interface. `mode` is our own definition.
 */

/** Port modes as the operator writes them. */
export const MODES: Readonly<Record<string, string>> = {
  transparent: 'transparent',
  access: 'access,vlan=10',
  native: 'trunk,native=10,tagged=20+100',
  trunk: 'trunk,tagged=10+20+100',
  tunnel: 'tunnel,qnq=100',
  strict: 'tunnel,qnq=100,strict=1,tagged=20',
  mixed: 'tunnel,qnq=100,tagged=20',

  access0: 'access,vlan=0',
  access100: 'access,vlan=100',
  native0: 'trunk,native=0,tagged=20',
  all: 'trunk',
  nativeX: 'trunk,native=10,tagged=20+100,tpid=X',
  trunkX: 'trunk,tagged=10+20+100,tpid=X',
  tunnelX: 'tunnel,qnq=100,tpid=X',
  strictX: 'tunnel,qnq=100,strict=1,tpid=X',
  mixedX: 'tunnel,qnq=100,tagged=20,tpid=X',
}

/** Those of which each meets each, with frames of every kind. */
export const KINDS = ['transparent', 'access', 'native', 'trunk', 'tunnel', 'strict', 'mixed'] as const

/** VIDs that trunks of the table carry: a tag with another one is a non-member's. */
export const MEMBERS: readonly number[] = [10, 20, 100]

export const CASES = `
transparent | untagged               | 0    | transparent | untagged               | mode transparent
transparent | untagged               | 0    | access      | -                      | 8.6.4
transparent | untagged               | 0    | native      | -                      | 8.6.4
transparent | untagged               | 0    | trunk       | -                      | 8.6.4
transparent | untagged               | 0    | tunnel      | -                      | 8.6.4
transparent | untagged               | 0    | strict      | -                      | 8.6.4
transparent | untagged               | 0    | mixed       | -                      | 8.6.4
transparent | 8100:0/5d              | 0    | transparent | 8100:0/5d              | mode transparent
transparent | 8100:0/5d              | 0    | access      | -                      | 8.6.4
transparent | 8100:0/5d              | 0    | native      | -                      | 8.6.4
transparent | 8100:0/5d              | 0    | trunk       | -                      | 8.6.4
transparent | 8100:0/5d              | 0    | tunnel      | -                      | 8.6.4
transparent | 8100:0/5d              | 0    | strict      | -                      | 8.6.4
transparent | 8100:0/5d              | 0    | mixed       | -                      | 8.6.4
transparent | 8100:10/5d             | 10   | transparent | 8100:10/5d             | mode transparent
transparent | 8100:10/5d             | 10   | access      | untagged               | 6.9.2
transparent | 8100:10/5d             | 10   | native      | untagged               | 6.9.2
transparent | 8100:10/5d             | 10   | trunk       | 8100:10/5d             | 6.9.2 6.9.3
transparent | 8100:10/5d             | 10   | tunnel      | -                      | 8.6.4
transparent | 8100:10/5d             | 10   | strict      | -                      | 8.6.4
transparent | 8100:10/5d             | 10   | mixed       | -                      | 8.6.4
transparent | 8100:30/3              | 30   | transparent | 8100:30/3              | mode transparent
transparent | 8100:30/3              | 30   | access      | -                      | 8.6.4
transparent | 8100:30/3              | 30   | native      | -                      | 8.6.4
transparent | 8100:30/3              | 30   | trunk       | -                      | 8.6.4
transparent | 8100:30/3              | 30   | tunnel      | -                      | 8.6.4
transparent | 8100:30/3              | 30   | strict      | -                      | 8.6.4
transparent | 8100:30/3              | 30   | mixed       | -                      | 8.6.4
transparent | 8100:100/5d 8100:20/3  | 100  | transparent | 8100:100/5d 8100:20/3  | mode transparent
transparent | 8100:100/5d 8100:20/3  | 100  | access      | -                      | 8.6.4
transparent | 8100:100/5d 8100:20/3  | 100  | native      | 8100:100/5d 8100:20/3  | 6.9.2
transparent | 8100:100/5d 8100:20/3  | 100  | trunk       | 8100:100/5d 8100:20/3  | 6.9.2
transparent | 8100:100/5d 8100:20/3  | 100  | tunnel      | 8100:20/3              | 6.9.2 15.3
transparent | 8100:100/5d 8100:20/3  | 100  | strict      | 8100:20/3              | 6.9.2 15.3
transparent | 8100:100/5d 8100:20/3  | 100  | mixed       | 8100:20/3              | 6.9.2 15.3
transparent | 88a8:10/5              | 0    | transparent | 88a8:10/5              | mode transparent
transparent | 88a8:10/5              | 0    | access      | -                      | 9.5 8.6.4
transparent | 88a8:10/5              | 0    | native      | -                      | 9.5 8.6.4
transparent | 88a8:10/5              | 0    | trunk       | -                      | 9.5 8.6.4
transparent | 88a8:10/5              | 0    | tunnel      | -                      | 9.5 8.6.4
transparent | 88a8:10/5              | 0    | strict      | -                      | 9.5 8.6.4
transparent | 88a8:10/5              | 0    | mixed       | -                      | 9.5 8.6.4
transparent | 8100:4095/5            | 4095 | transparent | 8100:4095/5            | mode transparent
transparent | 8100:4095/5            | 4095 | access      | -                      | 9.6 8.6.4
transparent | 8100:4095/5            | 4095 | native      | -                      | 9.6 8.6.4
transparent | 8100:4095/5            | 4095 | trunk       | -                      | 9.6 8.6.4
transparent | 8100:4095/5            | 4095 | tunnel      | -                      | 9.6 8.6.4
transparent | 8100:4095/5            | 4095 | strict      | -                      | 9.6 8.6.4
transparent | 8100:4095/5            | 4095 | mixed       | -                      | 9.6 8.6.4
transparent | 8100:10 cut            | 0    | transparent | 8100:10 cut            | mode transparent
transparent | 8100:10 cut            | 0    | access      | -                      | 8.6.4
transparent | 8100:10 cut            | 0    | native      | -                      | 8.6.4
transparent | 8100:10 cut            | 0    | trunk       | -                      | 8.6.4
transparent | 8100:10 cut            | 0    | tunnel      | -                      | 8.6.4
transparent | 8100:10 cut            | 0    | strict      | -                      | 8.6.4
transparent | 8100:10 cut            | 0    | mixed       | -                      | 8.6.4

access      | untagged               | 10   | transparent | 8100:10                | 6.9.1 6.9.2
access      | untagged               | 10   | access      | untagged               | 6.9.1 6.9.2
access      | untagged               | 10   | native      | untagged               | 6.9.1 6.9.2
access      | untagged               | 10   | trunk       | 8100:10                | 6.9.1 6.9.2
access      | untagged               | 10   | tunnel      | -                      | 8.6.4
access      | untagged               | 10   | strict      | -                      | 8.6.4
access      | untagged               | 10   | mixed       | -                      | 8.6.4
access      | 8100:0/5d              | 10   | transparent | 8100:10/5d             | 6.9.1 6.9.3
access      | 8100:0/5d              | 10   | access      | untagged               | 6.9.1 6.9.2
access      | 8100:0/5d              | 10   | native      | untagged               | 6.9.1 6.9.2
access      | 8100:0/5d              | 10   | trunk       | 8100:10/5d             | 6.9.1 6.9.3
access      | 8100:0/5d              | 10   | tunnel      | -                      | 8.6.4
access      | 8100:0/5d              | 10   | strict      | -                      | 8.6.4
access      | 8100:0/5d              | 10   | mixed       | -                      | 8.6.4
access      | 8100:10/5              | -    | any         | in:vlan                | 6.9.1 untagged only
access      | 8100:30/5              | -    | any         | in:vlan                | 6.9.1 untagged only
access      | 8100:10/5 8100:20/3    | -    | any         | in:vlan                | 6.9.1 untagged only
access      | 88a8:20/5              | 10   | transparent | 8100:10 88a8:20/5      | 9.5 6.9.1
access      | 88a8:20/5              | 10   | access      | 88a8:20/5              | 9.5 6.9.1
access      | 88a8:20/5              | 10   | native      | 88a8:20/5              | 9.5 6.9.1
access      | 88a8:20/5              | 10   | trunk       | 8100:10 88a8:20/5      | 9.5 6.9.1
access      | 88a8:20/5              | 10   | tunnel      | -                      | 8.6.4
access      | 88a8:20/5              | 10   | strict      | -                      | 8.6.4
access      | 88a8:20/5              | 10   | mixed       | -                      | 8.6.4
access      | 8100:4095/5            | -    | any         | in:vlan                | 9.6 6.9.1
access      | 8100:10 cut            | -    | any         | in:short               | mode cut short

native      | untagged               | 10   | transparent | 8100:10                | 6.9.1 6.9.2
native      | untagged               | 10   | access      | untagged               | 6.9.1 6.9.2
native      | untagged               | 10   | native      | untagged               | 6.9.1 6.9.2
native      | untagged               | 10   | trunk       | 8100:10                | 6.9.1 6.9.2
native      | untagged               | 10   | tunnel      | -                      | 8.6.4
native      | untagged               | 10   | strict      | -                      | 8.6.4
native      | untagged               | 10   | mixed       | -                      | 8.6.4
native      | 8100:0/5d              | 10   | transparent | 8100:10/5d             | 6.9.1 6.9.3
native      | 8100:0/5d              | 10   | access      | untagged               | 6.9.1 6.9.2
native      | 8100:0/5d              | 10   | native      | untagged               | 6.9.1 6.9.2
native      | 8100:0/5d              | 10   | trunk       | 8100:10/5d             | 6.9.1 6.9.3
native      | 8100:0/5d              | 10   | tunnel      | -                      | 8.6.4
native      | 8100:0/5d              | 10   | strict      | -                      | 8.6.4
native      | 8100:0/5d              | 10   | mixed       | -                      | 8.6.4
native      | 8100:20/5d             | 20   | transparent | 8100:20/5d             | 6.9.2 6.9.3
native      | 8100:20/5d             | 20   | access      | -                      | 8.6.4
native      | 8100:20/5d             | 20   | native      | 8100:20/5d             | 6.9.2 6.9.3
native      | 8100:20/5d             | 20   | trunk       | 8100:20/5d             | 6.9.2 6.9.3
native      | 8100:20/5d             | 20   | tunnel      | -                      | 8.6.4
native      | 8100:20/5d             | 20   | strict      | -                      | mode strict
native      | 8100:20/5d             | 20   | mixed       | 8100:20/5d             | mode tunnel, tagged
native      | 8100:30/5              | -    | any         | in:vlan                | 8.6.2
native      | 8100:100/5d 8100:20/3  | 100  | transparent | 8100:100/5d 8100:20/3  | 6.9.2
native      | 8100:100/5d 8100:20/3  | 100  | access      | -                      | 8.6.4
native      | 8100:100/5d 8100:20/3  | 100  | native      | 8100:100/5d 8100:20/3  | 6.9.2
native      | 8100:100/5d 8100:20/3  | 100  | trunk       | 8100:100/5d 8100:20/3  | 6.9.2
native      | 8100:100/5d 8100:20/3  | 100  | tunnel      | 8100:20/3              | 6.9.2 15.3
native      | 8100:100/5d 8100:20/3  | 100  | strict      | 8100:20/3              | 6.9.2 15.3
native      | 8100:100/5d 8100:20/3  | 100  | mixed       | 8100:20/3              | 6.9.2 15.3
native      | 88a8:20/5              | 10   | transparent | 8100:10 88a8:20/5      | 9.5 6.9.1
native      | 88a8:20/5              | 10   | access      | 88a8:20/5              | 9.5 6.9.1
native      | 88a8:20/5              | 10   | native      | 88a8:20/5              | 9.5 6.9.1
native      | 88a8:20/5              | 10   | trunk       | 8100:10 88a8:20/5      | 9.5 6.9.1
native      | 88a8:20/5              | 10   | tunnel      | -                      | 8.6.4
native      | 88a8:20/5              | 10   | strict      | -                      | 8.6.4
native      | 88a8:20/5              | 10   | mixed       | -                      | 8.6.4
native      | 8100:4095/5            | -    | any         | in:vlan                | 9.6 6.9.1
native      | 8100:20 cut            | -    | any         | in:short               | mode cut short

trunk       | untagged               | -    | any         | in:vlan                | 6.9.1 tagged only
trunk       | 8100:0/5d              | -    | any         | in:vlan                | 6.9.1 tagged only
trunk       | 8100:20/5d             | 20   | transparent | 8100:20/5d             | 6.9.2 6.9.3
trunk       | 8100:20/5d             | 20   | access      | -                      | 8.6.4
trunk       | 8100:20/5d             | 20   | native      | 8100:20/5d             | 6.9.2 6.9.3
trunk       | 8100:20/5d             | 20   | trunk       | 8100:20/5d             | 6.9.2 6.9.3
trunk       | 8100:20/5d             | 20   | tunnel      | -                      | 8.6.4
trunk       | 8100:20/5d             | 20   | strict      | -                      | mode strict
trunk       | 8100:20/5d             | 20   | mixed       | 8100:20/5d             | mode tunnel, tagged
trunk       | 8100:30/5              | -    | any         | in:vlan                | 8.6.2
trunk       | 8100:100/5d 8100:20/3  | 100  | transparent | 8100:100/5d 8100:20/3  | 6.9.2
trunk       | 8100:100/5d 8100:20/3  | 100  | access      | -                      | 8.6.4
trunk       | 8100:100/5d 8100:20/3  | 100  | native      | 8100:100/5d 8100:20/3  | 6.9.2
trunk       | 8100:100/5d 8100:20/3  | 100  | trunk       | 8100:100/5d 8100:20/3  | 6.9.2
trunk       | 8100:100/5d 8100:20/3  | 100  | tunnel      | 8100:20/3              | 6.9.2 15.3
trunk       | 8100:100/5d 8100:20/3  | 100  | strict      | 8100:20/3              | 6.9.2 15.3
trunk       | 8100:100/5d 8100:20/3  | 100  | mixed       | 8100:20/3              | 6.9.2 15.3
trunk       | 88a8:20/5              | -    | any         | in:vlan                | 9.5 6.9.1 tagged only
trunk       | 8100:4095/5            | -    | any         | in:vlan                | 9.6 6.9.1
trunk       | 8100:20 cut            | -    | any         | in:short               | mode cut short

tunnel      | untagged               | 100  | transparent | 8100:100               | 15.3 6.9.2
tunnel      | untagged               | 100  | access      | -                      | 8.6.4
tunnel      | untagged               | 100  | native      | 8100:100               | 15.3 6.9.2
tunnel      | untagged               | 100  | trunk       | 8100:100               | 15.3 6.9.2
tunnel      | untagged               | 100  | tunnel      | untagged               | 15.3 6.9.2
tunnel      | untagged               | 100  | strict      | out:strict             | mode strict
tunnel      | untagged               | 100  | mixed       | untagged               | 15.3 6.9.2
tunnel      | 8100:0/5d              | 100  | transparent | 8100:100/5d 8100:0/5d  | 15.3 mode priority bits
tunnel      | 8100:0/5d              | 100  | access      | -                      | 8.6.4
tunnel      | 8100:0/5d              | 100  | native      | 8100:100/5d 8100:0/5d  | 15.3 mode priority bits
tunnel      | 8100:0/5d              | 100  | trunk       | 8100:100/5d 8100:0/5d  | 15.3 mode priority bits
tunnel      | 8100:0/5d              | 100  | tunnel      | 8100:0/5d              | 15.3
tunnel      | 8100:0/5d              | 100  | strict      | out:strict             | mode strict
tunnel      | 8100:0/5d              | 100  | mixed       | 8100:0/5d              | 15.3
tunnel      | 8100:20/5d             | 100  | transparent | 8100:100/5d 8100:20/5d | 15.3 mode priority bits
tunnel      | 8100:20/5d             | 100  | access      | -                      | 8.6.4
tunnel      | 8100:20/5d             | 100  | native      | 8100:100/5d 8100:20/5d | 15.3 mode priority bits
tunnel      | 8100:20/5d             | 100  | trunk       | 8100:100/5d 8100:20/5d | 15.3 mode priority bits
tunnel      | 8100:20/5d             | 100  | tunnel      | 8100:20/5d             | 15.3
tunnel      | 8100:20/5d             | 100  | strict      | 8100:20/5d             | 15.3
tunnel      | 8100:20/5d             | 100  | mixed       | 8100:20/5d             | 15.3
tunnel      | 8100:30/3              | 100  | transparent | 8100:100/3 8100:30/3   | 15.3 mode priority bits
tunnel      | 8100:30/3              | 100  | access      | -                      | 8.6.4
tunnel      | 8100:30/3              | 100  | native      | 8100:100/3 8100:30/3   | 15.3 mode priority bits
tunnel      | 8100:30/3              | 100  | trunk       | 8100:100/3 8100:30/3   | 15.3 mode priority bits
tunnel      | 8100:30/3              | 100  | tunnel      | 8100:30/3              | 15.3
tunnel      | 8100:30/3              | 100  | strict      | 8100:30/3              | 15.3
tunnel      | 8100:30/3              | 100  | mixed       | 8100:30/3              | 15.3
tunnel      | 8100:30/3 8100:40/1    | 100  | transparent | 8100:100/3 8100:30/3 8100:40/1 | 15.3
tunnel      | 8100:30/3 8100:40/1    | 100  | access      | -                      | 8.6.4
tunnel      | 8100:30/3 8100:40/1    | 100  | native      | 8100:100/3 8100:30/3 8100:40/1 | 15.3
tunnel      | 8100:30/3 8100:40/1    | 100  | trunk       | 8100:100/3 8100:30/3 8100:40/1 | 15.3
tunnel      | 8100:30/3 8100:40/1    | 100  | tunnel      | 8100:30/3 8100:40/1    | 15.3
tunnel      | 8100:30/3 8100:40/1    | 100  | strict      | 8100:30/3 8100:40/1    | 15.3
tunnel      | 8100:30/3 8100:40/1    | 100  | mixed       | 8100:30/3 8100:40/1    | 15.3
tunnel      | 88a8:30/5              | 100  | transparent | 8100:100/5 88a8:30/5   | 15.3 mode priority bits
tunnel      | 88a8:30/5              | 100  | access      | -                      | 8.6.4
tunnel      | 88a8:30/5              | 100  | native      | 8100:100/5 88a8:30/5   | 15.3 mode priority bits
tunnel      | 88a8:30/5              | 100  | trunk       | 8100:100/5 88a8:30/5   | 15.3 mode priority bits
tunnel      | 88a8:30/5              | 100  | tunnel      | 88a8:30/5              | 15.3
tunnel      | 88a8:30/5              | 100  | strict      | 88a8:30/5              | 15.3 mode known TPIDs
tunnel      | 88a8:30/5              | 100  | mixed       | 88a8:30/5              | 15.3
tunnel      | 8100:4095/5            | 100  | transparent | 8100:100/5 8100:4095/5 | 15.3
tunnel      | 8100:4095/5            | 100  | access      | -                      | 8.6.4
tunnel      | 8100:4095/5            | 100  | native      | 8100:100/5 8100:4095/5 | 15.3
tunnel      | 8100:4095/5            | 100  | trunk       | 8100:100/5 8100:4095/5 | 15.3
tunnel      | 8100:4095/5            | 100  | tunnel      | 8100:4095/5            | 15.3
tunnel      | 8100:4095/5            | 100  | strict      | 8100:4095/5            | 15.3
tunnel      | 8100:4095/5            | 100  | mixed       | 8100:4095/5            | 15.3
tunnel      | 8100:20 cut            | -    | any         | in:short               | mode cut short

strict      | untagged               | -    | any         | in:strict              | mode strict
strict      | 8100:0/5d              | -    | any         | in:strict              | mode strict
strict      | 8100:20/5d             | 100  | transparent | 8100:100/5d 8100:20/5d | 15.3 mode strict
strict      | 8100:20/5d             | 100  | access      | -                      | 8.6.4
strict      | 8100:20/5d             | 100  | native      | 8100:100/5d 8100:20/5d | 15.3 mode strict
strict      | 8100:20/5d             | 100  | trunk       | 8100:100/5d 8100:20/5d | 15.3 mode strict
strict      | 8100:20/5d             | 100  | tunnel      | 8100:20/5d             | 15.3 mode strict
strict      | 8100:20/5d             | 100  | strict      | 8100:20/5d             | 15.3 mode strict
strict      | 8100:20/5d             | 100  | mixed       | 8100:20/5d             | 15.3 mode strict
strict      | 8100:30/3              | 100  | transparent | 8100:100/3 8100:30/3   | 15.3 mode priority bits
strict      | 8100:30/3              | 100  | access      | -                      | 8.6.4
strict      | 8100:30/3              | 100  | native      | 8100:100/3 8100:30/3   | 15.3 mode priority bits
strict      | 8100:30/3              | 100  | trunk       | 8100:100/3 8100:30/3   | 15.3 mode priority bits
strict      | 8100:30/3              | 100  | tunnel      | 8100:30/3              | 15.3
strict      | 8100:30/3              | 100  | strict      | 8100:30/3              | 15.3
strict      | 8100:30/3              | 100  | mixed       | 8100:30/3              | 15.3
strict      | 8100:30/3 8100:40/1    | 100  | transparent | 8100:100/3 8100:30/3 8100:40/1 | 15.3
strict      | 8100:30/3 8100:40/1    | 100  | access      | -                      | 8.6.4
strict      | 8100:30/3 8100:40/1    | 100  | native      | 8100:100/3 8100:30/3 8100:40/1 | 15.3
strict      | 8100:30/3 8100:40/1    | 100  | trunk       | 8100:100/3 8100:30/3 8100:40/1 | 15.3
strict      | 8100:30/3 8100:40/1    | 100  | tunnel      | 8100:30/3 8100:40/1    | 15.3
strict      | 8100:30/3 8100:40/1    | 100  | strict      | 8100:30/3 8100:40/1    | 15.3
strict      | 8100:30/3 8100:40/1    | 100  | mixed       | 8100:30/3 8100:40/1    | 15.3
strict      | 88a8:30/5              | 100  | transparent | 8100:100/5 88a8:30/5   | 15.3 mode known TPIDs
strict      | 88a8:30/5              | 100  | access      | -                      | 8.6.4
strict      | 88a8:30/5              | 100  | native      | 8100:100/5 88a8:30/5   | 15.3 mode known TPIDs
strict      | 88a8:30/5              | 100  | trunk       | 8100:100/5 88a8:30/5   | 15.3 mode known TPIDs
strict      | 88a8:30/5              | 100  | tunnel      | 88a8:30/5              | 15.3 mode known TPIDs
strict      | 88a8:30/5              | 100  | strict      | 88a8:30/5              | 15.3 mode known TPIDs
strict      | 88a8:30/5              | 100  | mixed       | 88a8:30/5              | 15.3 mode known TPIDs
strict      | 8100:4095/5            | 100  | transparent | 8100:100/5 8100:4095/5 | 15.3
strict      | 8100:4095/5            | 100  | access      | -                      | 8.6.4
strict      | 8100:4095/5            | 100  | native      | 8100:100/5 8100:4095/5 | 15.3
strict      | 8100:4095/5            | 100  | trunk       | 8100:100/5 8100:4095/5 | 15.3
strict      | 8100:4095/5            | 100  | tunnel      | 8100:4095/5            | 15.3
strict      | 8100:4095/5            | 100  | strict      | 8100:4095/5            | 15.3
strict      | 8100:4095/5            | 100  | mixed       | 8100:4095/5            | 15.3
strict      | 8100:20 cut            | -    | any         | in:short               | mode cut short

mixed       | untagged               | 100  | transparent | 8100:100               | 15.3 6.9.2
mixed       | untagged               | 100  | access      | -                      | 8.6.4
mixed       | untagged               | 100  | native      | 8100:100               | 15.3 6.9.2
mixed       | untagged               | 100  | trunk       | 8100:100               | 15.3 6.9.2
mixed       | untagged               | 100  | tunnel      | untagged               | 15.3 6.9.2
mixed       | untagged               | 100  | strict      | out:strict             | mode strict
mixed       | untagged               | 100  | mixed       | untagged               | 15.3 6.9.2
mixed       | 8100:0/5d              | 100  | transparent | 8100:100/5d 8100:0/5d  | 15.3 mode priority bits
mixed       | 8100:0/5d              | 100  | access      | -                      | 8.6.4
mixed       | 8100:0/5d              | 100  | native      | 8100:100/5d 8100:0/5d  | 15.3 mode priority bits
mixed       | 8100:0/5d              | 100  | trunk       | 8100:100/5d 8100:0/5d  | 15.3 mode priority bits
mixed       | 8100:0/5d              | 100  | tunnel      | 8100:0/5d              | 15.3
mixed       | 8100:0/5d              | 100  | strict      | out:strict             | mode strict
mixed       | 8100:0/5d              | 100  | mixed       | 8100:0/5d              | 15.3
mixed       | 8100:20/5d             | 20   | transparent | 8100:20/5d             | mode tunnel, tagged
mixed       | 8100:20/5d             | 20   | access      | -                      | 8.6.4
mixed       | 8100:20/5d             | 20   | native      | 8100:20/5d             | mode tunnel, tagged
mixed       | 8100:20/5d             | 20   | trunk       | 8100:20/5d             | mode tunnel, tagged
mixed       | 8100:20/5d             | 20   | tunnel      | -                      | 8.6.4
mixed       | 8100:20/5d             | 20   | strict      | -                      | mode strict
mixed       | 8100:20/5d             | 20   | mixed       | 8100:20/5d             | mode tunnel, tagged
mixed       | 8100:30/3              | 100  | transparent | 8100:100/3 8100:30/3   | 15.3 mode priority bits
mixed       | 8100:30/3              | 100  | access      | -                      | 8.6.4
mixed       | 8100:30/3              | 100  | native      | 8100:100/3 8100:30/3   | 15.3 mode priority bits
mixed       | 8100:30/3              | 100  | trunk       | 8100:100/3 8100:30/3   | 15.3 mode priority bits
mixed       | 8100:30/3              | 100  | tunnel      | 8100:30/3              | 15.3
mixed       | 8100:30/3              | 100  | strict      | 8100:30/3              | 15.3
mixed       | 8100:30/3              | 100  | mixed       | 8100:30/3              | 15.3
mixed       | 8100:30/3 8100:20/1    | 100  | transparent | 8100:100/3 8100:30/3 8100:20/1 | mode outer tag
mixed       | 8100:30/3 8100:20/1    | 100  | access      | -                      | 8.6.4
mixed       | 8100:30/3 8100:20/1    | 100  | native      | 8100:100/3 8100:30/3 8100:20/1 | mode outer tag
mixed       | 8100:30/3 8100:20/1    | 100  | trunk       | 8100:100/3 8100:30/3 8100:20/1 | mode outer tag
mixed       | 8100:30/3 8100:20/1    | 100  | tunnel      | 8100:30/3 8100:20/1    | 15.3
mixed       | 8100:30/3 8100:20/1    | 100  | strict      | 8100:30/3 8100:20/1    | 15.3
mixed       | 8100:30/3 8100:20/1    | 100  | mixed       | 8100:30/3 8100:20/1    | 15.3
mixed       | 88a8:20/5              | 100  | transparent | 8100:100/5 88a8:20/5   | mode tunnel, tagged
mixed       | 88a8:20/5              | 100  | access      | -                      | 8.6.4
mixed       | 88a8:20/5              | 100  | native      | 8100:100/5 88a8:20/5   | mode tunnel, tagged
mixed       | 88a8:20/5              | 100  | trunk       | 8100:100/5 88a8:20/5   | mode tunnel, tagged
mixed       | 88a8:20/5              | 100  | tunnel      | 88a8:20/5              | mode tunnel, tagged
mixed       | 88a8:20/5              | 100  | strict      | 88a8:20/5              | mode tunnel, tagged
mixed       | 88a8:20/5              | 100  | mixed       | 88a8:20/5              | mode tunnel, tagged
mixed       | 8100:4095/5            | 100  | transparent | 8100:100/5 8100:4095/5 | 15.3
mixed       | 8100:4095/5            | 100  | access      | -                      | 8.6.4
mixed       | 8100:4095/5            | 100  | native      | 8100:100/5 8100:4095/5 | 15.3
mixed       | 8100:4095/5            | 100  | trunk       | 8100:100/5 8100:4095/5 | 15.3
mixed       | 8100:4095/5            | 100  | tunnel      | 8100:4095/5            | 15.3
mixed       | 8100:4095/5            | 100  | strict      | 8100:4095/5            | 15.3
mixed       | 8100:4095/5            | 100  | mixed       | 8100:4095/5            | 15.3
mixed       | 8100:20 cut            | -    | any         | in:short               | mode cut short
`

/** What the combinations above leave out. */
export const MORE_CASES = `
transparent | untagged               | 0    | access0     | untagged               | 6.9.2
transparent | 8100:0/5d              | 0    | access0     | untagged               | 6.9.2
transparent | 8100:0/5d              | 0    | native0     | untagged               | 6.9.2
transparent | 88a8:10/5              | 0    | access0     | 88a8:10/5              | 9.5 6.9.2
transparent | 9300:10/5              | 0    | access0     | 9300:10/5              | 9.5 6.9.2
transparent | 8100:20/5d             | 20   | mixed       | 8100:20/5d             | mode tunnel, tagged
transparent | 8100:20/5d             | 20   | strict      | -                      | mode strict
transparent | 8100:100/5             | 100  | tunnel      | untagged               | 6.9.2 15.3
transparent | 8100:100/5             | 100  | strict      | out:strict             | mode strict
transparent | 8100:100/5 8100:0/3    | 100  | tunnel      | 8100:0/3               | 15.3
transparent | 8100:100/5 8100:0/3    | 100  | strict      | out:strict             | mode strict
transparent | 8100:10/5 8100:20/3    | 10   | access      | 8100:20/3              | 6.9.2
transparent | 8100:10/5 8100:20/3    | 10   | native      | 8100:20/3              | 6.9.2
transparent | 8100:0/5 8100:10/3     | 0    | access0     | 8100:10/3              | 9.6 6.9.2
transparent | 8100:1 88a8:2 9100:3 9200:4 | 1 | transparent | 8100:1 88a8:2 9100:3 9200:4 | mode transparent
transparent | 8100:4095/5            | 4095 | all         | -                      | 9.6 8.6.4
access0     | untagged               | 0    | transparent | untagged               | mode VLAN 0
access0     | 8100:0/5d              | 0    | transparent | 8100:0/5d              | mode VLAN 0
access0     | 8100:0/5d              | 0    | native0     | untagged               | 6.9.2
access0     | untagged               | 0    | trunk       | -                      | 8.6.4
access100   | untagged               | 100  | tunnel      | untagged               | 6.9.1 15.3
access100   | untagged               | 100  | strict      | out:strict             | mode strict
access100   | 8100:0/5               | 100  | mixed       | untagged               | 6.9.1 15.3
access      | 8100:0/5 8100:20/3     | 10   | trunk       | 8100:10/5 8100:20/3    | 6.9.1 6.9.2
access      | 8100:0/5 8100:20/3     | 10   | access      | 8100:20/3              | 6.9.1 6.9.2
access      | 9300:20/5              | 10   | trunk       | 8100:10 9300:20/5      | 9.5 6.9.1
access      | 8100:0/7               | 10   | all         | 8100:10/7              | 6.9.1 6.9.3
native      | 8100:10/5d             | 10   | trunk       | 8100:10/5d             | 8.6.2 6.9.2
native      | 8100:10/5d             | 10   | native      | untagged               | 8.6.2 6.9.2
native      | 8100:0/5 8100:20/3     | 10   | access      | 8100:20/3              | 6.9.1 6.9.2
native0     | untagged               | 0    | transparent | untagged               | mode VLAN 0
native0     | 8100:0/5d              | 0    | transparent | 8100:0/5d              | mode VLAN 0
native0     | 8100:0/5d              | 0    | access0     | untagged               | 6.9.2
trunk       | 8100:10/5d             | 10   | access      | untagged               | 6.9.2
trunk       | 8100:10/5d             | 10   | native      | untagged               | 6.9.2
trunk       | 8100:10/0d             | 10   | trunk       | 8100:10/0d             | 6.9.3
trunk       | 8100:100/5d            | 100  | tunnel      | untagged               | 6.9.2 15.3
trunk       | 8100:100/5d            | 100  | strict      | out:strict             | mode strict
trunk       | 8100:100/5d 8100:0/3   | 100  | strict      | out:strict             | mode strict
trunk       | 8100:100/5d 9300:20/3  | 100  | strict      | out:strict             | mode known TPIDs
trunk       | 8100:100/5d 88a8:20/3  | 100  | strict      | 88a8:20/3              | mode known TPIDs
all         | 8100:1/5               | 1    | all         | 8100:1/5               | 6.9.2
all         | 8100:4094/5            | 4094 | all         | 8100:4094/5            | 6.9.2
all         | 8100:4095/5            | -    | any         | in:vlan                | 9.6 6.9.1
tunnel      | 8100:100/5             | 100  | trunk       | 8100:100/5 8100:100/5  | 15.3 mode priority bits
tunnel      | 9300:20/5              | 100  | trunk       | 8100:100 9300:20/5     | mode known TPIDs
strict      | 9300:20/5              | -    | any         | in:strict              | mode known TPIDs
mixed       | 8100:20/3 8100:40/1    | 20   | trunk       | 8100:20/3 8100:40/1    | mode outer tag
mixed       | 8100:20/3 8100:40/1    | 20   | tunnel      | -                      | 8.6.4
mixed       | 8100:0/5 8100:20/3     | 100  | trunk       | 8100:100/5 8100:0/5 8100:20/3 | mode outer tag
`

/** Other TPIDs: each row stands for one with 88a8, one with 9100 and one with 9200 in the place of X. */
export const TPID_CASES = `
nativeX     | untagged               | X:10  | trunkX      | X:10                   | 6.9.1 6.9.2
nativeX     | untagged               | X:10  | nativeX     | untagged               | 6.9.1 6.9.2
nativeX     | untagged               | X:10  | transparent | X:10                   | 6.9.1 6.9.2
nativeX     | untagged               | X:10  | access      | -                      | 9.5 8.6.4
nativeX     | X:0/5d                 | X:10  | trunkX      | X:10/5d                | 6.9.1 6.9.3
nativeX     | 8100:0/5d              | X:10  | trunkX      | X:10/5d                | mode VID 0 of 8100
nativeX     | X:20/5d                | X:20  | nativeX     | X:20/5d                | 6.9.2 6.9.3
nativeX     | 8100:20/5              | -     | trunkX      | in:vlan                | mode 8100 is a VLAN
trunkX      | untagged               | -     | trunkX      | in:vlan                | 6.9.1 tagged only
trunkX      | X:0/5                  | -     | trunkX      | in:vlan                | 6.9.1 tagged only
trunkX      | X:20/5d                | X:20  | trunkX      | X:20/5d                | 6.9.2 6.9.3
trunkX      | X:20/5d                | X:20  | transparent | X:20/5d                | 6.9.2 6.9.3
trunkX      | X:20/5d                | X:20  | trunk       | -                      | 9.5 8.6.4
trunkX      | X:10/5d                | X:10  | nativeX     | untagged               | 6.9.2
trunkX      | X:30/5                 | -     | trunkX      | in:vlan                | 8.6.2
trunkX      | X:4095/5               | -     | trunkX      | in:vlan                | 9.6 6.9.1
trunkX      | 8100:20/5              | -     | trunkX      | in:vlan                | 9.5 6.9.1 tagged only
trunkX      | X:20 cut               | -     | trunkX      | in:short               | mode cut short
trunkX      | X:100/5d 8100:20/3     | X:100 | trunkX      | X:100/5d 8100:20/3     | 6.9.2
trunkX      | X:100/5d 8100:20/3     | X:100 | tunnelX     | 8100:20/3              | 6.9.2 15.3
trunkX      | X:100/5d 8100:20/3     | X:100 | strictX     | 8100:20/3              | 6.9.2 15.3
trunkX      | X:100/5d 8100:20/3     | X:100 | mixedX      | 8100:20/3              | 6.9.2 15.3
trunkX      | X:100/5d 8100:20/3     | X:100 | tunnel      | -                      | 9.5 8.6.4
trunkX      | X:100/5d               | X:100 | tunnelX     | untagged               | 6.9.2 15.3
trunkX      | X:100/5d               | X:100 | strictX     | out:strict             | mode strict
trunkX      | X:20/5                 | X:20  | mixedX      | -                      | mode tunnel, tagged
trunk       | 8100:20/5              | 20    | trunkX      | -                      | 9.5 8.6.4
trunk       | 8100:20/5              | 20    | mixedX      | 8100:20/5              | mode tunnel, tagged
trunk       | X:20/5                 | -     | trunkX      | in:vlan                | mode TPIDs of the switch
trunk       | 8100:100/5 8100:20/3   | 100   | tunnelX     | -                      | 9.5 8.6.4
access      | X:20/5                 | -     | trunkX      | in:vlan                | mode TPIDs of the switch
access      | untagged               | 10    | trunkX      | -                      | 9.5 8.6.4
access0     | X:0/5                  | 0     | trunkX      | -                      | 8.6.4
transparent | X:20/5d                | X:20  | trunkX      | X:20/5d                | 6.9.2 6.9.3
transparent | 8100:20/5d             | 20    | trunkX      | -                      | 9.5 8.6.4
transparent | X:100/5 8100:20/3      | X:100 | tunnelX     | 8100:20/3              | 6.9.2 15.3
transparent | X:100/5 8100:20/3      | X:100 | strictX     | 8100:20/3              | 6.9.2 15.3
transparent | X:100/5                | X:100 | strictX     | out:strict             | mode strict
tunnelX     | untagged               | X:100 | trunkX      | X:100                  | 15.3 6.9.2
tunnelX     | untagged               | X:100 | transparent | X:100                  | 15.3 6.9.2
tunnelX     | untagged               | X:100 | tunnelX     | untagged               | 15.3 6.9.2
tunnelX     | untagged               | X:100 | trunk       | -                      | 9.5 8.6.4
tunnelX     | 8100:0/5d              | X:100 | trunkX      | X:100/5d 8100:0/5d     | 15.3 mode priority bits
tunnelX     | 8100:20/5d             | X:100 | trunkX      | X:100/5d 8100:20/5d    | 15.3 mode priority bits
tunnelX     | 8100:20/5d             | X:100 | strictX     | 8100:20/5d             | 15.3
tunnelX     | X:20/5                 | X:100 | trunkX      | X:100/5 X:20/5         | 15.3 mode priority bits
tunnelX     | 8100:20 cut            | -     | trunkX      | in:short               | mode cut short
strictX     | untagged               | -     | trunkX      | in:strict              | mode strict
strictX     | X:0/5                  | -     | trunkX      | in:strict              | mode strict
strictX     | 8100:20/5              | X:100 | trunkX      | X:100/5 8100:20/5      | 15.3 mode priority bits
strictX     | X:20/5                 | X:100 | trunkX      | X:100/5 X:20/5         | 15.3 mode priority bits
mixedX      | 8100:20/5d             | 20    | trunk       | 8100:20/5d             | mode tunnel, tagged
mixedX      | 8100:20/5d             | 20    | trunkX      | -                      | 9.5 8.6.4
mixedX      | 8100:30/5d             | X:100 | trunkX      | X:100/5d 8100:30/5d    | 15.3 mode priority bits
mixedX      | X:20/5                 | X:100 | trunkX      | X:100/5 X:20/5         | mode tunnel, tagged
`

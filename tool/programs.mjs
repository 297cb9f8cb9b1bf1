// What the build makes: the commands, and the programs that they start.
export const COMMANDS = {
  hconnect: {
    main: 'agent/main.ts',
    programs: { 'hconnect-pcap': 'net/port/pcap/child.ts' },
  },
  hybridge: {
    main: 'hub/main.ts',
    programs: {
      'hybridge-control': 'hub/accounts/process.ts',
      'hybridge-fabric': 'hub/fabric/process.ts',
      'hybridge-device': 'hub/device/process.ts',
      'hybridge-metrics': 'hub/metrics/process.ts',
      'hybridge-telnet': 'hub/console/process.ts',
      'hybridge-gateway': 'hub/gateway/process.ts',
    },
  },
}

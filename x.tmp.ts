import {RpcClient} from '#net/base/rpc.ts'
process.chdir('/tmp/x-data-H')
const c=new RpcClient('run/control.sock',{timeoutMs:20000})
try { console.log(JSON.stringify(await c.call(process.argv[2]!, JSON.parse(process.argv[3]??'{}')),null,1)) } catch(e: any){console.log('ERR',e.code,e.message)}
c.close()

// The reference PDS of the AT Protocol with a directory of its own, on loopback alone: what tests of Bluesky talk to.
// Run in the folder where package.json is installed: node index.mjs FOLDER APP_VIEW_URL. It prints one line of JSON when
// it listens, and ends when its standard input closes, so that it never outlives its test.
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createRequire } from 'node:module'

process.env.LOG_ENABLED = 'false'
const require = createRequire(`${process.cwd()}/`)
const { PDS, envToCfg, envToSecrets } = require('@atproto/pds')
const { PlcServer, Database } = require('@did-plc/server')
const [folder, appView] = process.argv.slice(2)

const listen = async (app) => {
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}
const plc = await listen(PlcServer.create({ db: Database.mock() }).app)
const env = {
  hostname: 'localhost',
  devMode: true,
  dataDirectory: folder,
  blobstoreDiskLocation: `${folder}/blobs`,
  blobstoreDiskTmpLocation: `${folder}/blobs-before`,
  didPlcUrl: `http://127.0.0.1:${plc.address().port}`,
  serviceHandleDomains: ['.test'],
  inviteRequired: false,
  rateLimitsEnabled: false,
  bskyAppViewUrl: appView,
  bskyAppViewDid: 'did:web:appview.test',
  jwtSecret: randomBytes(16).toString('hex'),
  adminPassword: randomBytes(16).toString('hex'),
  plcRotationKeyK256PrivateKeyHex: randomBytes(32).toString('hex'),
}
const pds = await PDS.create(envToCfg(env), envToSecrets(env))
await pds.ctx.sequencer.start()
const server = await listen(pds.app) // not pds.start(), which listens on every interface

process.stdin.resume().on('end', () => process.exit(0))
console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}` }))

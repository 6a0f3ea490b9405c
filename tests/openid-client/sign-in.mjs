// A program as others write it: openid-client signs a person in, renews, revokes, and gets in by device code and as itself.
// The test plays the person: it is told by lines of JSON where to go, and answers with where it was led.
import { webcrypto } from "node:crypto";
import { createInterface } from "node:readline";

globalThis.crypto ??= webcrypto;
const client = await import("openid-client");

const [issuer, programId, callback, robotId, robotSecret] = process.argv.slice(2);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const tell = what => console.log(JSON.stringify(what));
const hear = async () => (await lines.next()).value;
const failure = async work => { try { await work(); return null; } catch (error) { return error.error ?? error.cause?.[0]?.parameters?.error ?? error.code ?? error.message; } };
// The console under test is on this machine, without encryption.
const discover = (id, authentication) => client.discovery(new URL(issuer), id, undefined, authentication, { execute: [client.allowInsecureRequests] });

const program = await discover(programId, client.None());
const verifier = client.randomPKCECodeVerifier(), state = client.randomState(), nonce = client.randomNonce();
tell({
  step: "authorize",
  methods: program.serverMetadata().code_challenge_methods_supported,
  url: client.buildAuthorizationUrl(program, {
    redirect_uri: callback, scope: "openid profile offline_access api", state, nonce,
    code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256",
  }).href,
});
const back = new URL(await hear());
const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true };
const tokens = await client.authorizationCodeGrant(program, back, checks);
tell({ step: "tokens", access: tokens.access_token, claims: tokens.claims() });

const renewed = await client.refreshTokenGrant(program, tokens.refresh_token);
tell({ step: "renewed", access: renewed.access_token });
await client.tokenRevocation(program, renewed.refresh_token);
tell({ step: "revoked", refused: await failure(() => client.refreshTokenGrant(program, renewed.refresh_token)) });

const commandLine = await discover("plinth-cli", client.None());
const device = await client.initiateDeviceAuthorization(commandLine, { scope: "openid api offline_access" });
tell({ step: "device", code: device.user_code, at: device.verification_uri });
await hear();
const byDevice = await client.pollDeviceAuthorizationGrant(commandLine, device);
tell({ step: "device-tokens", access: byDevice.access_token });

const robot = await discover(robotId, client.ClientSecretPost(robotSecret));
tell({ step: "robot", access: (await client.clientCredentialsGrant(robot, { scope: "api" })).access_token });
const stranger = await discover(robotId, client.ClientSecretPost("not-the-secret-of-it"));
tell({ step: "stranger", refused: await failure(() => client.clientCredentialsGrant(stranger, { scope: "api" })) });
process.exit(0);

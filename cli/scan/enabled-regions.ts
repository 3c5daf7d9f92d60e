import type { STSClientResolvedConfig } from '@aws-sdk/client-sts';
import { SignatureV4 } from '@smithy/signature-v4';
import { CannotRun } from '../command-line.ts';

const TIMEOUT_MS = 10_000;

/**
 * The Regions that are enabled for the account, sorted. Asked of EC2 (DescribeRegions) by one signed request: its client
 * would be the largest package of the project, for one call. `AWS_ENDPOINT_URL` names a stand-in.
 * @throws CannotRun when EC2 refuses
 */
export async function enabledRegions({
  region,
  credentials,
  sha256,
}: Pick<STSClientResolvedConfig, 'region' | 'credentials' | 'sha256'>): Promise<string[]> {
  const home = await region();
  const url = new URL(process.env['AWS_ENDPOINT_URL'] ?? `https://ec2.${home}.amazonaws.com/`);
  const signer = new SignatureV4({ service: 'ec2', region: home, credentials, sha256 });
  const body = 'Action=DescribeRegions&Version=2016-11-15';
  const { headers } = await signer.sign({
    ...{ method: 'POST', protocol: url.protocol, hostname: url.hostname, path: '/', body },
    headers: { host: url.host, 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
  });
  const answer = await fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(TIMEOUT_MS) });
  const xml = await answer.text();
  if (!answer.ok) {
    const code = /<Code>([\w.]+)<\/Code>/.exec(xml)?.[1] ?? `HTTP ${answer.status}`;
    throw new CannotRun(
      `ec2:DescribeRegions is refused (${code}). Name the Regions instead: --region eu-central-1,us-east-1`,
    );
  }
  return [...xml.matchAll(/<regionName>([a-z0-9-]+)<\/regionName>/g)].map(([, name = '']) => name).sort();
}

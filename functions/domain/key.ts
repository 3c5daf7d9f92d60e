/** One account in one Region: what KMS keeps apart. */
export type KeyPlace = { partition: string; region: string; accountId: string };

/** Which key: everything that can be told from a key ARN alone, so it exists even for a key nobody can read. */
export type KeyIdentity = KeyPlace & { arn: string; keyId: string };

export type Tag = { key: string; value: string };

/** What DescribeKey, ListAliases and ListResourceTags say of a key, in KMS's own words where they are enumerations. */
export type KeyFacts = KeyIdentity & {
  /** Without the `alias/` prefix, sorted. */
  aliases: string[];
  description: string;
  /** Sorted by key. */
  tags: Tag[];
  keyManager: string;
  keyState: string;
  keySpec: string;
  keyUsage: string;
  origin: string;
  customKeyStoreId: string | null;
  multiRegionKeyType: 'PRIMARY' | 'REPLICA' | null;
  /** The primary key of a multi-Region key: the only one whose rotation can be set. */
  primaryArn: string | null;
  createdAt: string;
};

const KEY_ARN =
  /^arn:(?<partition>aws[a-z-]*):kms:(?<region>[a-z0-9-]+):(?<accountId>\d{12}):key\/(?<keyId>[A-Za-z0-9-]+)$/;

/** Takes a KMS key ARN apart; `null` if the text is not one (an alias ARN is not). */
export function parseKeyArn(arn: string): KeyIdentity | null {
  // Stryker disable next-line StringLiteral: a match has all four groups, so the defaults are for the compiler alone.
  const { partition = '', region = '', accountId = '', keyId } = KEY_ARN.exec(arn)?.groups ?? {};
  return keyId === undefined ? null : { arn, partition, region, accountId, keyId };
}

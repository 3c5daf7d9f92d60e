/**
 * Where "customer-managed keys rotate" stands in each benchmark. A table, not a constant: CIS renumbered it, and
 * "3.6" means something else in the versions that do not have it there.
 */
export const COMPLIANCE_CONTROLS: readonly { framework: string; version: string; control: string }[] = [
  { framework: 'CIS AWS Foundations', version: 'v7.0.0', control: '4.6' },
  { framework: 'CIS AWS Foundations', version: 'v6.0.0', control: '4.6' },
  { framework: 'CIS AWS Foundations', version: 'v5.0.0', control: '3.6' },
  { framework: 'CIS AWS Foundations', version: 'v3.0.0', control: '3.6' },
  { framework: 'CIS AWS Foundations', version: 'v1.4.0', control: '3.8' },
  { framework: 'CIS AWS Foundations', version: 'v1.2.0', control: '2.8' },
  { framework: 'AWS Security Hub CSPM', version: 'current', control: 'KMS.4' },
  { framework: 'PCI DSS', version: 'v4.0.1', control: '3.7.4' },
  { framework: 'NIST SP 800-53', version: 'r5', control: 'SC-12, SC-12(2), SC-28(3)' },
];

/** A period over 365 days passes all of the above; these are what it contradicts. FINOS CCC, CN03.AR01. */
export const PERIOD_CONTROLS: readonly { framework: string; version: string; control: string }[] = [
  { framework: 'FINOS CCC KeyMgmt', version: 'current', control: 'CN03.AR01' },
];

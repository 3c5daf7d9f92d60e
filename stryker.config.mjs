// Mutation testing of the rules: whatever Stryker changes in functions/domain has to fail a test of it.
// The survivors that no test can tell from the original are listed in docs/mutation-testing.md.
export default {
  mutate: ['functions/domain/*.ts'],
  testRunner: 'jest',
  jest: { enableFindRelatedTests: false, config: { testMatch: ['<rootDir>/test/mutation/rules.ts'] } },
  // Native ESM, as in "npm test". V8's cache of compiled code only grows when jest runs again and again in one process:
  // with it, the fortieth mutant takes five times as long as the first.
  testRunnerNodeArgs: ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', '--no-compilation-cache'],
  coverageAnalysis: 'perTest',
  // Types are stripped, not checked, so there is nothing to silence.
  disableTypeChecks: false,
  concurrency: 2,
  tempDirName: '.cache/mutation',
  cleanTempDir: 'always',
  reporters: ['clear-text', 'progress-append-only'],
  allowConsoleColors: false,
  clearTextReporter: { allowColor: false, allowEmojis: false, logTests: false, reportTests: false },
  warnings: { slow: false },
  thresholds: { high: 100, low: 98, break: 98 },
};

/** Variables that would send the functions' AWS calls elsewhere than into the sandbox. */
const LEADING_ASTRAY =
  /^AWS_(?:SESSION_TOKEN|PROFILE|DEFAULT_PROFILE|DEFAULT_REGION|ENDPOINT_URL_.*|IGNORE_CONFIGURED_ENDPOINT_URLS|CONTAINER_.*|WEB_IDENTITY_TOKEN_FILE|ROLE_ARN|LAMBDA_.*)$/;

/**
 * Sets variables of this process as Lambda sets those of a function, and takes away what would let an AWS client look
 * for credentials or endpoints anywhere else. Returns the way back.
 */
export function setEnvironment(variables: Readonly<Record<string, string>>): () => void {
  const before = { ...process.env };
  for (const name of Object.keys(process.env)) {
    if (LEADING_ASTRAY.test(name)) Reflect.deleteProperty(process.env, name);
  }
  Object.assign(process.env, {
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_EC2_METADATA_DISABLED: 'true',
    ...variables,
  });
  return () => {
    for (const name of Object.keys(process.env)) {
      if (!Object.hasOwn(before, name)) Reflect.deleteProperty(process.env, name);
    }
    Object.assign(process.env, before);
  };
}

import {
  InvalidSlackSecret,
  parseSlackSecret,
  SLACK_SECRET_PLACEHOLDER,
} from '../../../functions/contracts/slack-secret.ts';

const SECRET = {
  signingSecret: 'a-signing-secret-of-a-test',
  botToken: 'xoxb-a-token-of-a-test',
  botId: 'B0BOT',
  botUserId: 'U0BOT',
};

function complaintAbout(content: string): string {
  try {
    parseSlackSecret(content);
  } catch (error) {
    if (error instanceof InvalidSlackSecret) return error.message;
  }
  throw new Error('it was taken');
}

describe('parseSlackSecret', () => {
  it('reads the four fields and no others', () => {
    expect(parseSlackSecret(JSON.stringify({ ...SECRET, comment: 'rotated in May' }))).toEqual(SECRET);
  });

  it.each([
    ['signingSecret', ''],
    ['signingSecret', 'short'],
    ['signingSecret', ` ${SECRET.signingSecret}`],
    ['botToken', `${SECRET.botToken}\n`],
    ['botId', 'U0BOT'],
    ['botUserId', undefined],
  ])('does not take %s=%j, and says which field that is', (field, value) => {
    const complaint = complaintAbout(JSON.stringify({ ...SECRET, [field]: value }));
    expect(complaint).toBe(`the secret does not hold what it should: ${field}`);
  });

  it('names every field that is missing', () => {
    const complaint = complaintAbout('{}');
    for (const field of Object.keys(SECRET)) expect(complaint).toContain(field);
  });

  it.each([SECRET.botToken, `{"botToken":"${SECRET.botToken}"`, `"${SECRET.botToken}"`, '', 'null', '[]'])(
    'does not repeat what is no JSON object: %j',
    (content) => {
      const complaint = complaintAbout(content);
      expect(complaint).toBe('the secret does not hold what it should: the whole, which has to be a JSON object');
    },
  );

  it('tells the placeholder of a deployment from credentials', () => {
    expect(complaintAbout(SLACK_SECRET_PLACEHOLDER)).toContain('npm run slack:connect');
    // Changed by a hand or not: nobody can sign with what everybody can read here.
    expect(complaintAbout(`${SLACK_SECRET_PLACEHOLDER} `)).toContain('signingSecret');
  });
});

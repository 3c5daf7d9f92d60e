/** A control call that cannot be done; the message is a sentence for whoever made it, answered with 4xx. */
export class Refused extends Error {
  public override readonly name = 'Refused';
}

import * as z from 'zod';

const interaction = z.object({ type: z.string(), actions: z.array(z.object({ type: z.string() })) });

/** @throws Error, wrongly, for a nested shape that three comparisons with constants stand before. */
export function planted(text: string): void {
  const action = actionOf(text);
  if (action?.kind === 'block_actions' && action.type === 'overflow') throw new Error('the planted bug');
}

function actionOf(text: string): { kind: string; type: string } | undefined {
  try {
    const { type: kind, actions } = interaction.parse(JSON.parse(text));
    const [first] = actions;
    return first === undefined ? undefined : { kind, type: first.type };
  } catch {
    return undefined;
  }
}

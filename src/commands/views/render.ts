/**
 * Turns a view into the JSON that Discord takes: Components V2, or embeds for hosts that asked for them. The one place
 * that knows the flags, and that forbids every mention.
 */
import {
  type APIActionRowComponent,
  type APIComponentInContainer,
  type APIComponentInMessageActionRow,
  type APIEmbed,
  type APIMessageTopLevelComponent,
  ButtonStyle,
  ComponentType,
  MessageFlags,
  SeparatorSpacingSize,
} from 'discord-api-types/v10';
import { withoutSecrets, withoutSecretsIn } from '../../logger/secrets.ts';
import { blockBody, COMPONENT_LIMITS, cut, EMBED_LIMITS, fitView } from './budget.ts';
import { isBlank, plainText } from './key-text.ts';
import {
  type Button,
  type ControlRow,
  isSelect,
  type Select,
  type Tone,
  type UserSelect,
  type View,
} from './view.ts';

export type ReplyStyle = 'components' | 'embeds';

/** A message as the API takes it, with the files that go beside it. */
export interface MessageBody {
  /** Without `Ephemeral`, which belongs to the first answer only. */
  readonly flags: 0 | MessageFlags.IsComponentsV2;
  readonly components: APIMessageTopLevelComponent[];
  readonly embeds?: APIEmbed[];
  readonly allowed_mentions: { readonly parse: [] };
  readonly files: readonly { readonly name: string; readonly text: string }[];
}

const COLOURS: Readonly<Record<Tone, number>> = {
  normal: 0x5865f2,
  good: 0x2e9e5b,
  degraded: 0xe0a021,
  danger: 0xd83c3e,
};

const BUTTON_STYLES = {
  primary: ButtonStyle.Primary,
  secondary: ButtonStyle.Secondary,
  danger: ButtonStyle.Danger,
} as const;

/** The message of a view, within Discord's limits. */
export function render(whole: View, style: ReplyStyle): MessageBody {
  const view = shareable(whole);
  const shared = {
    allowed_mentions: { parse: [] as [] },
    files: view.file === undefined ? [] : [view.file],
  };
  if (style === 'embeds') {
    return { ...shared, flags: 0, embeds: [embed(view)], components: (view.rows ?? []).map(actionRow) };
  }
  return { ...shared, flags: MessageFlags.IsComponentsV2, components: [container(view)] };
}

/** Blocks, and what is in them. */
const VIEW_DEPTH = 8;

/** The same view without a secret in what it says. Its file and the values of its controls are for others to see to. */
function shareable({ rows, file, ...said }: View): View {
  return {
    ...withoutSecretsIn(said, VIEW_DEPTH),
    ...(rows === undefined ? {} : { rows }),
    ...(file === undefined ? {} : { file }),
  };
}

function label(text: string, length: number): string {
  const shown = withoutSecrets(text);
  return cut(isBlank(shown) ? plainText(shown) : shown, length);
}

function container(whole: View): APIMessageTopLevelComponent {
  const view = fitView(whole, COMPONENT_LIMITS);
  const subtitle = view.subtitle === undefined ? '' : `\n-# ${view.subtitle}`;
  const components: APIComponentInContainer[] = [text(`## ${view.title}${subtitle}`)];
  for (const block of view.blocks) {
    const heading = block.heading === undefined ? '' : `### ${block.heading}\n`;
    const content = heading + blockBody(block);
    if (content.trim() !== '') components.push(text(content));
  }
  const notes = (view.notes ?? []).map((note) => `-# ${note}`).join('\n');
  if (notes !== '') components.push(text(notes));
  if (view.file !== undefined) {
    components.push({ type: ComponentType.File, file: { url: `attachment://${view.file.name}` } });
  }
  const rows = (view.rows ?? []).slice(0, 5);
  if (rows.length > 0) {
    components.push({ type: ComponentType.Separator, divider: true, spacing: SeparatorSpacingSize.Small });
    components.push(...rows.map(actionRow));
  }
  return { type: ComponentType.Container, accent_color: COLOURS[view.tone], components };
}

function text(content: string): APIComponentInContainer {
  return { type: ComponentType.TextDisplay, content };
}

function embed(whole: View): APIEmbed {
  const view = fitView(whole, EMBED_LIMITS);
  const fields = view.blocks
    .filter((block) => blockBody(block).trim() !== '')
    .map((block) => ({ name: block.heading ?? '\u200b', value: cut(blockBody(block), 1_024) }));
  const notes = (view.notes ?? []).map((note) => `-# ${note}`).join('\n');
  if (notes !== '') fields.push({ name: '\u200b', value: notes });
  return {
    title: view.title,
    color: COLOURS[view.tone],
    ...(view.subtitle === undefined ? {} : { description: `-# ${view.subtitle}` }),
    ...(fields.length === 0 ? {} : { fields }),
  };
}

function actionRow(row: ControlRow): APIActionRowComponent<APIComponentInMessageActionRow> {
  return {
    type: ComponentType.ActionRow,
    components: isSelect(row) ? [select(row)] : row.slice(0, 5).map(button),
  };
}

function button(control: Button): APIComponentInMessageActionRow {
  return {
    type: ComponentType.Button,
    custom_id: control.id,
    label: label(control.label, 80),
    style: BUTTON_STYLES[control.style],
    ...(control.disabled === true ? { disabled: true } : {}),
  };
}

function select(control: Select | UserSelect): APIComponentInMessageActionRow {
  if ('of' in control) {
    return {
      type: ComponentType.UserSelect,
      custom_id: control.id,
      placeholder: cut(control.placeholder, 150),
      ...(control.disabled === true ? { disabled: true } : {}),
    };
  }
  return {
    type: ComponentType.StringSelect,
    custom_id: control.id,
    placeholder: cut(control.placeholder, 150),
    options: control.options.slice(0, 25).map((option) => ({
      label: label(option.label, 100),
      value: option.value.slice(0, 100),
      ...(option.description === undefined ? {} : { description: label(option.description, 100) }),
      ...(option.selected === true ? { default: true } : {}),
    })),
    ...(control.disabled === true ? { disabled: true } : {}),
  };
}

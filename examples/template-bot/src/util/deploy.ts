import process from 'node:process';
import { REST, Routes } from 'discord.js';
import { loadCommands } from './loaders.ts';

const { DISCORD_TOKEN = '', APPLICATION_ID = '' } = process.env;
const commands = await loadCommands(new URL('../commands/', import.meta.url));
const body = [...commands.values()].map((command) => command.data);

await new REST().setToken(DISCORD_TOKEN).put(Routes.applicationCommands(APPLICATION_ID), { body });

console.log(`Registered ${body.length} commands.`);

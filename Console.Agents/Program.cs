using Plinth.Agents.Cli;

return await AgentProgram.Run(args);

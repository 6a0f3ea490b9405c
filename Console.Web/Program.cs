using Plinth.Web;

return await ConsoleApplication.Run(args);

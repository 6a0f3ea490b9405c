var app = Plinth.Web.ConsoleApplication.Build(args);
await app.RunAsync();

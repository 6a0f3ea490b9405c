using Plinth.Web.Application;
using Plinth.Web.Listeners;
using Plinth.Web.Security.SignIn;

namespace Plinth.Web.Hosting;

/// <summary>What the person at the terminal waits for: the address, and a link to sign in. The link goes to standard output alone, never to a log.</summary>
public sealed class ReadyBanner(IHostApplicationLifetime lifetime, KestrelListeners listeners, IOperatorLink operatorLink, JoinFiles joinFiles, ILogger<ReadyBanner> log) : IHostedService
{
    private Task _announced = Task.CompletedTask;

    public Task StartAsync(CancellationToken stop)
    {
        // Only now are the ports of the listeners known.
        lifetime.ApplicationStarted.Register(() => _announced = Announce(lifetime.ApplicationStopping));
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken stop) => _announced;

    private async Task Announce(CancellationToken stop)
    {
        try
        {
            await joinFiles.Write(stop);
            var link = await operatorLink.Issue(stop);
            System.Console.WriteLine($"Plinth is ready at {listeners.PortalUrl}");
            System.Console.WriteLine($"Sign in once with: {listeners.PortalUrl}{SignInEndpoints.Path}?link={link}");
            ServiceManager.Ready();
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
        catch (Exception e)
        {
            log.LogCritical("The start could not be completed: {Reason}", e.Message);
            Environment.ExitCode = ConsoleApplication.FailedExitCode;
            lifetime.StopApplication();
        }
    }
}

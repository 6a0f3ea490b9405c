using Plinth.Core.Audit;
using Plinth.Web.Application;
using Plinth.Web.Application.Backup;
using Plinth.Web.Options;
using Plinth.Web.Security.SignIn;

namespace Plinth.Web.Hosting;

/// <summary>What the program does besides serving; settings may follow each, as when it serves.</summary>
internal static class ConsoleCommands
{
    private const string Help = """
        plinth-console [settings]                 serves
        plinth-console --backup FILE [--with-images] [settings]
                                                  copies the console's data into FILE while it serves
        plinth-console --restore FILE [settings]  puts FILE in the place of the data; the console must not serve
        plinth-console --sign-in-link [settings]  makes a new link that signs in once
        plinth-console audit verify FILE [--key KEY] [--checkpoint NOTE]...
                                                  checks an exported ledger, offline: KEY and the signed notes are those
                                                  that you kept elsewhere
        plinth-console --settings                 prints every setting there is, in Markdown
        plinth-console --help

        Settings are given as --Plinth:Portal:Url=…, as environment variables or in appsettings.json.
        """;

    /// <summary>The exit code; null where the words ask for serving.</summary>
    public static async Task<int?> Run(string[] words)
    {
        switch (words)
        {
            case ["--help" or "-h", ..]:
                System.Console.WriteLine(Help);
                return 0;
            case ["--settings"]:
                await System.Console.Out.WriteAsync(SettingsReference.Markdown());
                return 0;
            case ["--backup", var file, "--with-images", .. var rest]:
                return await Backup(file, withImages: true, rest);
            case ["--backup", var file, .. var rest]:
                return await Backup(file, withImages: false, rest);
            case ["--restore", var file, .. var rest]:
                return await RestoreFrom(file, rest);
            case ["audit", "verify", var file, .. var kept]:
                return VerifyLedger(file, kept);
            case ["audit", ..]:
                throw new SettingsException(["audit needs to be told what to check: audit verify FILE [--key KEY] [--checkpoint NOTE]..."]);
            case ["--sign-in-link", .. var rest]:
                return await SignInLink(rest);
            case ["--backup" or "--restore"]:
                throw new SettingsException([$"{words[0]} needs a file: {words[0]} FILE"]);
            default:
                return null;
        }
    }

    private static async Task<int> Backup(string file, bool withImages, string[] settings)
    {
        await using var tools = ConsoleApplication.BuildTools(settings);
        return Say(await tools.Services.GetRequiredService<Backups>().Make(file, withImages, CancellationToken.None));
    }

    private static async Task<int> RestoreFrom(string file, string[] settings)
    {
        await using var tools = ConsoleApplication.BuildTools(settings);
        var data = tools.Services.GetRequiredService<DataDirectory>();
        if (!data.TryHoldAlone()) throw new BackupException($"A console serves from {data.Path}. Stop it first; nothing was changed.");
        return Say(await tools.Services.GetRequiredService<Restore>().From(file, CancellationToken.None));
    }

    private static async Task<int> SignInLink(string[] settings)
    {
        await using var tools = ConsoleApplication.BuildTools(settings);
        var portal = tools.Services.GetRequiredService<ConsoleOptions>().Portal;
        return Say([$"{portal.Url.GetLeftPart(UriPartial.Authority)}{SignInEndpoints.Path}?link={await tools.Services.GetRequiredService<IOperatorLink>().Issue(CancellationToken.None)}"]);
    }

    private static int VerifyLedger(string file, string[] kept)
    {
        if (kept.Where((_, i) => i % 2 == 1 && kept[i - 1] == "--checkpoint").Prepend(file).FirstOrDefault(f => !File.Exists(f)) is { } missing) throw new SettingsException([$"{missing} is not there: audit verify FILE [--key KEY] [--checkpoint NOTE]..."]);
        string? key = null;
        var checkpoints = new List<string>();
        for (var i = 0; i < kept.Length; i += 2)
        {
            if (i + 1 == kept.Length || kept[i] is not ("--key" or "--checkpoint")) throw new SettingsException([$"{kept[i]} is not understood: audit verify FILE [--key KEY] [--checkpoint NOTE]..."]);
            if (kept[i] == "--key") key = File.Exists(kept[i + 1]) ? File.ReadAllText(kept[i + 1]).Trim() : kept[i + 1];
            else checkpoints.Add(File.ReadAllText(kept[i + 1]));
        }
        using var export = new StreamReader(file);
        var verdict = LedgerExport.Verify(export, key, checkpoints);
        if (!verdict.Succeeded)
        {
            System.Console.Error.WriteLine(verdict.Reason);
            return 1;
        }
        return Say(
        [
            $"All {verdict.Value.Entries} entries are what was signed; the root is {Convert.ToBase64String(verdict.Value.Root)}.",
            .. key is null ? ["The key is the export's own: whoever could write the export could have made it. Give the one that you kept by --key."] : Array.Empty<string>(),
        ]);
    }

    private static int Say(IEnumerable<string> sentences)
    {
        foreach (var sentence in sentences) System.Console.WriteLine(sentence);
        return 0;
    }
}

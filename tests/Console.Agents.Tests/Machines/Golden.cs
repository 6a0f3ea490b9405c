using System.Runtime.CompilerServices;
using Xunit;

namespace Plinth.Agents.Tests.Machines;

/// <summary>
/// Compares with a file beside the tests, so that a change of behaviour shows as a readable diff. With PLINTH_GOLDEN=write the files are
/// written anew instead, to be read before they are committed.
/// </summary>
internal static class Golden
{
    public static void Check(string file, string actual, [CallerFilePath] string test = "")
    {
        var path = Path.Combine(Path.GetDirectoryName(test)!, "golden", file);
        if (Environment.GetEnvironmentVariable("PLINTH_GOLDEN") == "write") File.WriteAllText(path, actual + "\n");
        Assert.Equal(File.ReadAllText(path).TrimEnd('\n'), actual);
    }
}

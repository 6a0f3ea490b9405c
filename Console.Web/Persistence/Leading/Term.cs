using Plinth.Core.Primitives;

namespace Plinth.Web.Persistence.Leading;

/// <summary>
/// The leadership that a flow of control acts under. What it writes carries the epoch by itself, so that no use case has to think of it;
/// acts of people carry none, because any server takes them.
/// </summary>
public static class Term
{
    private static readonly AsyncLocal<Epoch?> Now = new();

    /// <summary>Null outside of <see cref="Under{T}"/>.</summary>
    public static Epoch? Current => Now.Value;

    /// <summary>Runs <paramref name="act"/> so that all its writes are refused once <paramref name="epoch"/> is over.</summary>
    public static async Task<T> Under<T>(Epoch epoch, Func<Task<T>> act)
    {
        // Ends with this method.
        Now.Value = epoch;
        return await act();
    }

    /// <inheritdoc cref="Under{T}"/>
    public static Task Under(Epoch epoch, Func<Task> act) => Under(epoch, async () => { await act(); return Done.Value; });
}

/// <summary>A write of a server that led and was replaced meanwhile. It had no effect.</summary>
public sealed class TermOverException(string message) : Exception(message);

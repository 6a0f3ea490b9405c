using System.Runtime.InteropServices;

namespace Plinth.Agents.Libvirt;

/// <summary>libvirt's lists of named values.</summary>
internal static class TypedParameters
{
    // struct _virTypedParameter { char field[80]; int type; union value; }
    public const int Bytes = 96;
    private const int TypeOffset = 80, ValueOffset = 88;

    /// <summary>The whole numbers among them.</summary>
    public static Dictionary<string, long> Read(nint parameters, int count)
    {
        var values = new Dictionary<string, long>(count);
        for (var i = 0; i < count; i++)
        {
            var parameter = parameters + i * Bytes;
            // int, uint, llong, ullong; names and flags are no numbers.
            long? value = Marshal.ReadInt32(parameter, TypeOffset) switch
            {
                1 => Marshal.ReadInt32(parameter, ValueOffset),
                2 => (uint)Marshal.ReadInt32(parameter, ValueOffset),
                3 or 4 => Marshal.ReadInt64(parameter, ValueOffset),
                _ => null,
            };
            if (value is { } number) values[Marshal.PtrToStringUTF8(parameter)!] = number;
        }
        return values;
    }
}

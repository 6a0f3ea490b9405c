using System.Numerics;
using System.Security.Cryptography;

namespace Plinth.Core.Audit;

/// <summary>
/// Verifies Ed25519 signatures (RFC 8032 §5.1.7), which the framework cannot. Verification only: it handles no secret, so that
/// it need not run in constant time. The console itself signs with ECDSA P-256 from the framework.
/// </summary>
internal static class Ed25519
{
    private static readonly BigInteger P = BigInteger.Pow(2, 255) - 19;
    private static readonly BigInteger L = BigInteger.Pow(2, 252) + BigInteger.Parse("27742317777372353535851937790883648493");
    private static readonly BigInteger D = Mod(-121665 * Inverse(121666));
    private static readonly BigInteger SquareRootOfMinusOne = BigInteger.ModPow(2, (P - 1) / 4, P);
    private static readonly Point Base = Decompress(Mod(4 * Inverse(5)), xIsOdd: false)!.Value;

    public static bool Verify(ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature)
    {
        if (publicKey.Length != 32 || signature.Length != 64) return false;
        var s = new BigInteger(signature[32..], isUnsigned: true);
        if (s >= L || Decode(publicKey) is not { } a || Decode(signature[..32]) is not { } r) return false;
        var hash = SHA512.HashData([.. signature[..32], .. publicKey, .. message]);
        var k = new BigInteger(hash, isUnsigned: true) % L;
        return (s * Base).Same(r + k * a);
    }

    private static Point? Decode(ReadOnlySpan<byte> bytes)
    {
        var y = new BigInteger(bytes, isUnsigned: true);
        var sign = BigInteger.One << 255;
        return (y & ~sign) is var plain && plain >= P ? null : Decompress(plain, (y & sign) != 0);
    }

    private static Point? Decompress(BigInteger y, bool xIsOdd)
    {
        var square = Mod((y * y - 1) * Inverse(Mod(D * y * y + 1)));
        var x = BigInteger.ModPow(square, (P + 3) / 8, P);
        if (Mod(x * x - square) != 0) x = Mod(x * SquareRootOfMinusOne);
        if (Mod(x * x - square) != 0 || (x.IsZero && xIsOdd)) return null;
        if (x.IsEven == xIsOdd) x = P - x;
        return new Point(x, y, 1, Mod(x * y));
    }

    private static BigInteger Mod(BigInteger v) => v % P is var m && m.Sign < 0 ? m + P : m;

    private static BigInteger Inverse(BigInteger v) => BigInteger.ModPow(v, P - 2, P);

    /// <summary>A point in extended coordinates (RFC 8032 §5.1.4).</summary>
    private readonly record struct Point(BigInteger X, BigInteger Y, BigInteger Z, BigInteger T)
    {
        public static Point operator +(Point p, Point q)
        {
            var (a, b) = (Mod((p.Y - p.X) * (q.Y - q.X)), Mod((p.Y + p.X) * (q.Y + q.X)));
            var (c, d) = (Mod(2 * p.T * q.T * D), Mod(2 * p.Z * q.Z));
            var (e, f, g, h) = (b - a, d - c, d + c, b + a);
            return new Point(Mod(e * f), Mod(g * h), Mod(f * g), Mod(e * h));
        }

        public static Point operator *(BigInteger k, Point p)
        {
            var sum = new Point(0, 1, 1, 0);
            for (; k > 0; k >>= 1, p += p)
                if (!k.IsEven) sum += p;
            return sum;
        }

        public bool Same(Point q) => Mod(X * q.Z - q.X * Z) == 0 && Mod(Y * q.Z - q.Y * Z) == 0;
    }
}

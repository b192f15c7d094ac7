using ConvNet.Engine.Errors;

namespace ConvNet.Engine.Geometry;

/// <summary>Bounds on what a model may ask for, checked before anything is allocated.</summary>
internal static class Limits
{
    public const int MaxChannels = 1 << 20;
    public const int MaxVolume = 1 << 27;
    public const int MaxWeights = 1 << 28;

    public static void CheckCount(string layer, string option, int value)
    {
        if (value is < 1 or > MaxChannels)
        {
            throw ConvNetException.BadInput($"{layer}: \"{option}\" is {value}, but must be 1 ... {MaxChannels}.");
        }
    }

    public static void CheckVolume(string layer, Shape volume)
    {
        long count = (long)volume.Blocks * 8 * volume.H * volume.W;
        if (count > MaxVolume)
        {
            throw ConvNetException.BadInput(
                $"{layer}: the volume {volume} has {count} values a sample, more than the {MaxVolume} allowed; use fewer channels or a larger stride.");
        }
    }

    /// <summary>The product of the factors, without overflow.</summary>
    public static void CheckWeights(string layer, params ReadOnlySpan<long> factors)
    {
        double count = 1;
        foreach (long factor in factors)
        {
            count *= factor;
        }

        if (count > MaxWeights)
        {
            throw ConvNetException.BadInput(
                $"{layer}: {count:0} weights are more than the {MaxWeights} allowed; use fewer or smaller filters.");
        }
    }

    /// <summary>"1, 2, 4".</summary>
    public static string CommonDivisors(int a, int b) =>
        string.Join(", ", Enumerable.Range(1, Math.Min(a, b)).Where(d => a % d == 0 && b % d == 0).Take(12));
}

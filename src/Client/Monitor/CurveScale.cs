using System.Globalization;

namespace ConvNet.Client.Monitor;

/// <summary>What a curve's axes reach from and to.</summary>
internal readonly record struct CurveScale(double First, double Last, double Low, double High)
{
    /// <param name="points">At least one.</param>
    public static CurveScale Of(IReadOnlyList<CurvePoint> points)
    {
        double low = points.Min(point => point.Value), high = points.Max(point => point.Value);
        if (high - low <= Math.Max(Math.Abs(high), Math.Abs(low)) * 1e-9)
        {
            // A level line runs through the middle.
            double room = high == 0 ? 1 : Math.Abs(high) / 2;
            (low, high) = (low - room, high + room);
        }

        return new CurveScale(points.Min(point => point.Step), points.Max(point => point.Step), low, high);
    }

    /// <summary>0 at the left, 1 at the right.</summary>
    public double Across(double step) => Last > First ? (step - First) / (Last - First) : 0;

    /// <summary>0 at the bottom, 1 at the top. Values may be huge: the difference of two must not overflow.</summary>
    public double Up(double value) => (value / 2 - Low / 2) / (High / 2 - Low / 2);

    /// <summary>With as many digits as tell the ends of the scale apart.</summary>
    public string Number(double value)
    {
        double size = Math.Max(Math.Abs(High), Math.Abs(Low));
        string format = size >= 1e6 || size < 1e-3 ? "0.00e+0" : size >= 1000 ? "F0" : size >= 10 ? "F2" : "F4";
        return value.ToString(format, CultureInfo.InvariantCulture);
    }
}

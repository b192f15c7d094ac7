namespace ConvNet.Client.Monitor;

/// <param name="Points">In the order of their steps.</param>
/// <param name="Last">The value of the last step; null before there is one.</param>
internal sealed record Curve(IReadOnlyList<CurvePoint> Points, double? Last)
{
    public static Curve Empty { get; } = new([], null);

    public static Curve Of(CurveLog log) => new(log.Points, log.Last);
}
